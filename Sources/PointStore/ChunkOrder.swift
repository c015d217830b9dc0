import Fields

/// One of several ranks that train together, each on its own chunks.
public struct Share: Sendable, Equatable {
    public let rank: Int
    public let ranks: Int

    /// A run of one rank.
    public static let whole = Share(rank: 0, of: 1)

    public init(rank: Int, of ranks: Int) {
        precondition(ranks > 0 && (0..<ranks).contains(rank))
        self.rank = rank
        self.ranks = ranks
    }
}

/// Which points of a set an iteration trains on: a pure function of seed, set, rank and iteration, so that a resumed run
/// needs no state to continue exactly.
///
/// A set of N points is cut into N / size chunks (the last one reaches back where they do not divide, so that every
/// chunk has the same size); each epoch visits all chunks once, in a new order. In every iteration each rank takes
/// one chunk: an iteration of R ranks takes the chunks that one rank alone would take in R iterations.
public struct ChunkOrder: Sendable {
    public let set: PointSet
    public let size: Int
    public let chunkCount: Int
    private let count: Int
    private let seed: UInt64
    private let share: Share

    /// - Parameters:
    ///   - count: points of the set.
    ///   - size: points of a chunk; a set with fewer is one chunk.
    public init(_ set: PointSet, count: Int, size: Int, seed: UInt64, share: Share = .whole) {
        precondition(count > 0 && size > 0)
        self.set = set
        self.count = count
        self.size = min(size, count)
        self.chunkCount = (count + self.size - 1) / self.size
        self.share = share
        self.seed = mixed(seed, UInt64(PointSet.allCases.firstIndex(of: set)!))
    }

    /// Iterations after which the ranks together have visited every point.
    public var iterationsPerEpoch: Int { (chunkCount + share.ranks - 1) / share.ranks }

    public func points(_ number: ChunkNumber) -> Range<Int> {
        switch number {
        case .streamed(let iteration): points(iteration: iteration)
        case .fixed(let part, let parts, let start):
            points(ofPart: part * share.ranks + share.rank, of: parts * share.ranks, since: start)
        }
    }

    public func points(iteration: Int) -> Range<Int> {
        let (epoch, place) = (iteration * share.ranks + share.rank).quotientAndRemainder(dividingBy: chunkCount)
        return points(atPlace: place, ofOrder: mixed(seed, UInt64(epoch)))
    }

    /// The divisor of sums over a chunk: with it, the mean over the parts of a fixed batch is the mean over its points.
    public func divisor(of number: ChunkNumber) -> Double {
        guard case .fixed(_, let parts, _) = number, isSpread(over: parts * share.ranks) else { return Double(size) }
        return Double(count) / Double(parts * share.ranks)
    }

    /// A fixed batch that has room for the whole set contains every point once, because points that it had twice would count
    /// double. Of a larger set it contains chunks in an order of its own.
    private func points(ofPart part: Int, of parts: Int, since start: Int) -> Range<Int> {
        isSpread(over: parts)
            ? part * count / parts..<(part + 1) * count / parts
            : points(atPlace: part % chunkCount, ofOrder: mixed(mixed(seed, 0x6b_6570_74), UInt64(start)))
    }

    /// Fewer points than parts are in every part.
    private func isSpread(over parts: Int) -> Bool { (parts...parts * size).contains(count) }

    private func points(atPlace place: Int, ofOrder seed: UInt64) -> Range<Int> {
        let order = IndexPermutation(count: chunkCount, seed: seed)
        let start = min(order[place] * size, count - size)
        return start..<start + size
    }
}
