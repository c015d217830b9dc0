import PointStore

/// The points of an iteration: one chunk or several, whose mean loss is the iteration's loss. Chunks are loaded one after the other, so that
/// memory does not grow with their number.
public struct Batch {
    /// Chunks of the batch.
    public let count: Int
    private let load: (Int) throws -> Chunk

    /// - Parameter load: the points of a chunk, by its number in the batch.
    public init(count: Int, load: @escaping (Int) throws -> Chunk) {
        self.count = count
        self.load = load
    }

    /// Chunks that are in memory.
    public init(_ chunks: [Chunk]) {
        self.init(count: chunks.count) { chunks[$0] }
    }

    public func chunk(_ number: Int) throws -> Chunk { try load(number) }
}
