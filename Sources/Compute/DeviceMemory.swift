/// What a workload takes of a card's own memory.
public struct DeviceMemory: Sendable {
    /// The card's.
    public let name: String
    /// With the largest tile [bytes].
    public let needed: Int
    /// Of the card [bytes].
    public let total: Int

    public init(name: String, needed: Int, total: Int) {
        (self.name, self.needed, self.total) = (name, needed, total)
    }
}
