import Fields

/// Which points of a set an iteration trains on: a pure function of seed, set and iteration, so that a resumed run
/// needs no state to continue exactly.
///
/// A set of N points is cut into N / size chunks (the last one reaches back where they do not divide, so that every
/// chunk has the same size); each epoch visits all chunks once, in an order of its own.
public struct ChunkOrder: Sendable {
    public let set: PointSet
    public let size: Int
    public let chunkCount: Int
    private let count: Int
    private let seed: UInt64

    /// Asks for `size` points an iteration out of `count`; a set with fewer is one chunk.
    public init(_ set: PointSet, count: Int, size: Int, seed: UInt64) {
        precondition(count > 0 && size > 0)
        self.set = set
        self.count = count
        self.size = min(size, count)
        self.chunkCount = (count + self.size - 1) / self.size
        self.seed = mixed(seed, UInt64(PointSet.allCases.firstIndex(of: set)!))
    }

    public func points(iteration: Int) -> Range<Int> {
        let epoch = iteration / chunkCount
        let order = IndexPermutation(count: chunkCount, seed: mixed(seed, UInt64(epoch)))
        let start = min(order[iteration % chunkCount] * size, count - size)
        return start..<start + size
    }
}
