import Fields
import PointStore
import Runs

/// The batches of a run. The only part of training that asks the store for points: it reads ahead, keeps what is used again, and puts resampled
/// collocation points in the place of the store's.
final class BatchSource {
    private let stream: ChunkStream
    private let configuration: TrainingConfiguration
    private let keepsFixedBatch: Bool
    /// The chunks of a fixed batch, as far as they have been loaded.
    private var kept: (numbers: [ChunkNumber], resampledAt: Int?, chunks: [Chunk?]) = ([], nil, [])
    private var visited = 0

    /// - Parameter keepsFixedBatch: whether a batch that stays the same remains in memory; else it is read again for each evaluation.
    init(_ context: TrainingContext) {
        (stream, configuration, keepsFixedBatch) = (context.stream, context.configuration, context.keepsFixedBatch)
    }

    /// Points handed out since the last call.
    func takeVisited() -> Int {
        defer { visited = 0 }
        return visited
    }

    /// An iteration's own chunk, or the batch that all iterations share since their phase began or points were resampled.
    ///
    /// - Parameters:
    ///   - phaseStart: first iteration of the phase.
    ///   - isFixed: whether losses of different iterations are compared.
    ///   - resampled: collocation points to be used.
    func batch(at iteration: Int, phaseStart: Int, isFixed: Bool, resampled: ResampledPoints?) -> Batch {
        let start = max(phaseStart, configuration.sampling.lastResampling(at: iteration) ?? 0)
        let parts = configuration.stream.sampleChunks
        let order = resampled.map {
            ResampledOrder($0, chunks: parts, isShuffled: !isFixed, seed: configuration.seed)
        }
        guard isFixed else {
            kept = ([], nil, [])
            return Batch(count: 1) { [self] _ in
                let chunk = try load(
                    .streamed(iteration: iteration), next: .streamed(iteration: iteration + 1), order, iteration - start
                )
                return visit(chunk)
            }
        }
        let numbers = (0..<parts).map { ChunkNumber.fixed(part: $0, of: parts, since: start) }
        if kept.numbers != numbers || kept.resampledAt != resampled?.iteration {
            kept = (numbers, resampled?.iteration, [Chunk?](repeating: nil, count: parts))
        }
        return Batch(count: parts) { [self] part in visit(try fixedChunk(part, order)) }
    }

    /// Collocation points of a streamed iteration, for resampling: read now, beside the batches.
    func collocationPoints(of iteration: Int) throws -> [FloatColumn] {
        let request = ChunkRequest(.streamed(iteration: iteration), sets: [.collocation])
        return try stream.chunk(request, next: nil).copied().columns[.collocation] ?? []
    }

    /// Collocation points of a chunk.
    var collocationSize: Int { stream.size(.collocation) }

    private func fixedChunk(_ part: Int, _ order: ResampledOrder?) throws -> Chunk {
        if let chunk = kept.chunks[part] { return chunk }
        let following = (part + 1) % kept.numbers.count
        let isLast = keepsFixedBatch && following == 0
        let chunk = try load(kept.numbers[part], next: isLast ? nil : kept.numbers[following], order, part)
        guard keepsFixedBatch else { return chunk }
        // A copy: a window of the store would change with the file.
        let copy = try chunk.copied()
        kept.chunks[part] = copy
        return copy
    }

    private func load(_ number: ChunkNumber, next: ChunkNumber?, _ order: ResampledOrder?, _ place: Int) throws -> Chunk
    {
        let sets = order == nil ? nil : Set(PointSet.allCases).subtracting([.collocation])
        func request(_ number: ChunkNumber) -> ChunkRequest { ChunkRequest(number, sets: sets) }
        var chunk = try stream.chunk(request(number), next: next.map(request))
        if let order {
            chunk.columns[.collocation] = order.columns(ofChunk: place).map { FloatColumn($0) }
            chunk.divisors[.collocation] = nil
        }
        return chunk
    }

    private func visit(_ chunk: Chunk) -> Chunk {
        visited += chunk.columns.keys.reduce(0) { $0 + chunk.count($1) }
        return chunk
    }
}

extension Chunk {
    /// The same points in memory of their own.
    fileprivate func copied() throws -> Chunk {
        var copy = Chunk(columns: columns.mapValues { $0.map { FloatColumn(Array($0)) } })
        copy.divisors = divisors
        try requireIntact()
        return copy
    }
}
