/// Rates that a device's own libraries reach on it, with which its steps are compared.
public struct DeviceRates: Codable, Sendable, Equatable {
    /// Rate of a large matrix product in the precision of the backend's products [FLOP/s].
    public let products: Double
    /// Rate at which a copy within the device's memory reads and writes [bytes/s].
    public let copies: Double

    public init(products: Double, copies: Double) {
        self.products = products
        self.copies = copies
    }
}

/// A device that can measure its own rates in the process that times its steps.
public protocol RatedBackend: Backend {
    func rates() throws -> DeviceRates
}
