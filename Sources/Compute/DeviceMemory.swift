/// What a residualProblem takes of a GPU's own memory.
public struct DeviceMemory: Sendable {
    /// The GPU's.
    public let name: String
    /// With the largest tile [bytes].
    public let needed: Int
    /// Of the GPU [bytes].
    public let total: Int

    public init(name: String, needed: Int, total: Int) {
        (self.name, self.needed, self.total) = (name, needed, total)
    }
}
