import Dispatch
import Synchronization

/// Points of one iteration: for each set its columns, in the order of `PointSet.columns`.
public struct Chunk: Sendable {
    public var columns: [PointSet: [[Float]]]
    /// What means over a set divide by, where it is not the count of its points (`ChunkOrder.divisor`).
    public var divisors: [PointSet: Double] = [:]

    public init(columns: [PointSet: [[Float]]]) {
        self.columns = columns
    }

    public func divisor(_ set: PointSet) -> Double { divisors[set] ?? Double(count(set)) }
    public func count(_ set: PointSet) -> Int { columns[set]?.first?.count ?? 0 }
}

/// Delivers iteration after iteration, reading the next one while this one computes. Memory: two chunks.
public final class ChunkStream: Sendable {
    private let reader: StoreReader
    private let orders: [ChunkOrder]
    private let bootstrap: Bootstrap?
    private let queue = DispatchQueue(label: "ChunkStream")
    private let ahead: Mutex<(pending: Pending?, spare: Chunk?)>

    private final class Pending: Sendable {
        let number: ChunkNumber
        let done = DispatchSemaphore(value: 0)
        let result = Mutex<Result<Chunk, any Error>?>(nil)
        init(_ number: ChunkNumber) { self.number = number }
    }

    /// `sizes` says how many points of each set an iteration of each rank takes; sets that the store lacks are left out.
    /// `bootstrap` weighs the observations anew.
    public init(
        _ reader: StoreReader, sizes: [PointSet: Int], seed: UInt64, share: Share = .whole, bootstrap: Bootstrap? = nil
    ) {
        self.reader = reader
        self.bootstrap = bootstrap
        orders = PointSet.allCases.compactMap { set in
            guard let size = sizes[set], size > 0, reader.count(set) > 0 else { return nil }
            return ChunkOrder(set, count: reader.count(set), size: size, seed: seed, share: share)
        }
        ahead = Mutex((nil, nil))
    }

    /// Points of a set in every iteration.
    public func size(_ set: PointSet) -> Int { orders.first { $0.set == set }?.size ?? 0 }

    /// Iterations after which every point of every set has been visited, by one rank or another.
    public var iterationsPerEpoch: Int { orders.map(\.iterationsPerEpoch).max() ?? 1 }

    /// The points of an iteration that goes on to new ones, as most do.
    public func chunk(_ iteration: Int, reusing used: consuming Chunk? = nil) throws -> Chunk {
        try chunk(.passing(iteration), next: .passing(iteration + 1), reusing: used)
    }

    /// The points of a chunk, each checked against the store's checksums; the next call finds those of `next` already read.
    /// `used` hands back the memory of a chunk that is no longer needed: give it away (`take()`), a copy that is kept costs
    /// a third chunk.
    public func chunk(_ number: ChunkNumber, next: ChunkNumber, reusing used: consuming Chunk? = nil) throws -> Chunk {
        let recycled = consume used
        let current =
            ahead.withLock { state -> Pending? in
                if let recycled { state.spare = recycled }
                return state.pending?.number == number ? state.pending : nil
            } ?? start(number)
        current.done.wait()
        // A chunk that could not be read is not kept: asked again, it is read again.
        ahead.withLock { $0.pending = nil }
        let chunk = try current.result.withLock { $0! }.get()
        let following = start(next)
        ahead.withLock { $0.pending = following }
        return chunk
    }

    /// The points of one set alone that an iteration has, read now.
    public func read(_ set: PointSet, of iteration: Int, into columns: inout [[Float]]) throws {
        guard let order = orders.first(where: { $0.set == set }) else { return }
        try reader.read(set, order.points(iteration: iteration), into: &columns)
    }

    private func start(_ number: ChunkNumber) -> Pending {
        let pending = Pending(number)
        queue.async { [self] in
            let result = Result { try load(number) }
            pending.result.withLock { $0 = result }
            pending.done.signal()
        }
        return pending
    }

    private func load(_ number: ChunkNumber) throws -> Chunk {
        var chunk =
            ahead.withLock { state -> Chunk? in
                defer { state.spare = nil }
                return state.spare
            } ?? Chunk(columns: [:])
        for order in orders {
            let points = order.points(number)
            chunk.divisors[order.set] = order.divisor(of: number)
            try reader.read(order.set, points, into: &chunk.columns[order.set, default: []])
            bootstrap?.apply(to: &chunk.columns[order.set, default: []], of: order.set, at: points)
        }
        return chunk
    }
}
