import Fields
import Synchronization
import Threads

/// The points of one evaluation: for each set its columns, in the order of `PointSet.columns`.
public struct Chunk: Sendable {
    public var columns: [PointSet: [FloatColumn]]
    /// What means over a set divide by, where it is not the count of its points (`ChunkOrder.divisor`).
    public var divisors: [PointSet: Double] = [:]

    /// The windows of the store that columns are in, or were copied from.
    private var windows: [ColumnWindow] = []

    public init(columns: [PointSet: [FloatColumn]]) {
        self.columns = columns
    }

    init(_ windows: [PointSet: [ColumnWindow]]) {
        self.windows = windows.values.flatMap { $0 }
        columns = windows.mapValues { $0.map(\.values) }
    }

    public init(columns: [PointSet: [[Float]]]) {
        self.init(columns: columns.mapValues { $0.map { FloatColumn($0) } })
    }

    public func divisor(_ set: PointSet) -> Double { divisors[set] ?? Double(count(set)) }
    public func count(_ set: PointSet) -> Int { columns[set]?.first?.count ?? 0 }

    /// Throws where the store changed or could no longer be read while the chunk was in use: what was computed from the chunk
    /// is then worthless. To be called when a loss was computed, before it is used.
    public func requireIntact() throws {
        for window in windows { try window.requireIntact() }
    }
}

/// Delivers chunk after chunk, reading the next one while this one is computed on. A chunk's memory goes back when the chunk
/// is dropped; memory: the chunks that are in use and one that is read ahead.
public final class ChunkStream: Sendable {
    private let reader: StoreReader
    private let orders: [ChunkOrder]
    private let bootstrap: Bootstrap?
    private let following = Mutex<(request: ChunkRequest, result: Ahead<Result<Chunk, any Error>>)?>(nil)

    /// - Parameters:
    ///   - sizes: points of each set in a chunk; sets that the store lacks are left out.
    ///   - bootstrap: random weights for the observations.
    public init(
        _ reader: StoreReader, sizes: [PointSet: Int], seed: UInt64, share: Share = .whole, bootstrap: Bootstrap? = nil
    ) {
        self.reader = reader
        self.bootstrap = bootstrap
        orders = PointSet.allCases.compactMap { set in
            guard let size = sizes[set], size > 0, reader.count(set) > 0 else { return nil }
            return ChunkOrder(set, count: reader.count(set), size: size, seed: seed, share: share)
        }
    }

    /// Points of a set in a streamed chunk.
    public func size(_ set: PointSet) -> Int { orders.first { $0.set == set }?.size ?? 0 }

    /// Iterations after which every point of every set has been visited, by one rank or another.
    public var iterationsPerEpoch: Int { orders.map(\.iterationsPerEpoch).max() ?? 1 }

    /// All points of an iteration that takes new ones, with those of the following iteration read ahead.
    public func chunk(_ iteration: Int) throws -> Chunk {
        try chunk(
            ChunkRequest(.streamed(iteration: iteration)), next: ChunkRequest(.streamed(iteration: iteration + 1)))
    }

    /// The points of a chunk, each checked against the store's checksums.
    ///
    /// - Parameter next: what is read ahead, for the next call; nil: nothing.
    public func chunk(_ request: ChunkRequest, next: ChunkRequest?) throws -> Chunk {
        // Taken out even where reading it fails: asked again, it is read again.
        let foreseen = following.withLock { $0.take() }
        // What nobody asks for is waited for too, so that memory holds no chunk more.
        let result = foreseen?.result.take()
        let chunk =
            try foreseen?.request == request ? result!.get() : ChunkStream.load(request, reader, orders, bootstrap)
        if let next {
            let result = Ahead(on: .reading) { [reader, orders, bootstrap] in
                Result { try ChunkStream.load(next, reader, orders, bootstrap) }
            }
            following.withLock { $0 = (next, result) }
        }
        return chunk
    }

    private static func load(
        _ request: ChunkRequest, _ reader: StoreReader, _ orders: [ChunkOrder], _ bootstrap: Bootstrap?
    ) throws -> Chunk {
        let orders = orders.filter { request.sets?.contains($0.set) ?? true }
        let runs = orders.map { (set: $0.set, points: $0.points(request.number)) }
        var chunk = Chunk(try reader.load(runs))
        for (order, run) in zip(orders, runs) {
            chunk.divisors[order.set] = order.divisor(of: request.number)
            bootstrap?.apply(to: &chunk.columns[order.set]!, of: order.set, at: run.points)
        }
        return chunk
    }
}
