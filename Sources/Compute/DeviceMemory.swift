/// Memory that a residual problem needs on a GPU.
public struct DeviceMemory: Sendable {
    /// The GPU's name.
    public let name: String
    /// Needed with the largest tile [bytes].
    public let needed: Int
    /// Memory of the GPU [bytes].
    public let total: Int

    public init(name: String, needed: Int, total: Int) {
        (self.name, self.needed, self.total) = (name, needed, total)
    }
}
