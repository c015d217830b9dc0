import Compute
import Fields
import Objective
import Optimizers
import PointStore
import Runs

/// The points of an iteration: a chunk of its own, or, for a method that compares losses of different iterations, the same
/// chunks in all of them, read one after the other however many they are. Collocation points that were drawn stand in
/// for the store's.
struct Sample {
    let numbers: [ChunkNumber]
    /// Most likely wanted after them.
    let following: ChunkNumber
    private let drawn: DrawnOrder?
    /// Of the first chunk, among those since the points were drawn.
    private let place: Int

    /// - Parameter requiresFixedBatch: chunks of a sample that is kept.
    init(
        iteration: Int, phaseStart: Int, requiresFixedBatch: Bool, configuration: TrainingConfiguration,
        drawn: ResampledPoints?
    ) {
        let start = max(phaseStart, configuration.sampling.drawing(at: iteration) ?? 0)
        let parts = configuration.stream.sampleChunks
        numbers =
            requiresFixedBatch
            ? (0..<parts).map { .fixed(part: $0, of: parts, since: start) } : [.streamed(iteration: iteration)]
        following = requiresFixedBatch ? numbers[0] : .streamed(iteration: iteration + 1)
        place = requiresFixedBatch ? 0 : iteration - start
        self.drawn = drawn.map {
            DrawnOrder($0, chunks: parts, isShuffled: !requiresFixedBatch, seed: configuration.seed)
        }
    }

    /// One of the chunks, with the points that were drawn where there are any; the one after it is read ahead.
    func chunk(_ part: Int, _ context: TrainingContext) throws -> Chunk {
        let next = part + 1 < numbers.count ? numbers[part + 1] : following
        // The store's collocation points are not read where drawn ones stand in for them.
        let sets = drawn.map { _ in Set(PointSet.allCases).subtracting([.collocation]) }
        var chunk = try context.stream.chunk(
            ChunkRequest(numbers[part], sets: sets), next: ChunkRequest(next, sets: sets))
        if let drawn {
            chunk.columns[.collocation] = drawn.columns(ofChunk: place + part).map { FloatColumn($0) }
        }
        return chunk
    }

    /// The mean loss over the chunks and its gradient.
    ///
    /// - Parameter factors: on the terms' weights.
    func evaluate(
        _ context: TrainingContext, _ parameters: [Float], factors: [Double]?, _ gradient: inout [Float]
    ) throws -> (loss: Loss, points: Int) {
        var sum: [Double] = []
        var loss = Loss(termCount: context.objective.terms.count)
        var points = 0
        for part in numbers.indices {
            let chunk = try chunk(part, context)
            let share = try context.evaluate(parameters, chunk, factors, &gradient)
            points += context.objective.sets.reduce(0) { $0 + chunk.count($1) }
            try chunk.requireIntact()
            if numbers.count == 1 { return (share, points) }
            loss.add(share, times: 1 / Double(numbers.count))
            if sum.isEmpty { sum = [Double](repeating: 0, count: gradient.count) }
            for k in gradient.indices { sum[k] += Double(gradient[k]) }
        }
        for k in gradient.indices { gradient[k] = Float(sum[k] / Double(numbers.count)) }
        return (loss, points)
    }

    /// The norms of the weighted terms' gradients, over the first chunk.
    func gradientNorms(_ context: TrainingContext, _ parameters: [Float]) throws -> [Double] {
        let chunk = try context.stream.chunk(ChunkRequest(numbers[0]), next: ChunkRequest(numbers[0]))
        let norms = try context.objective.gradientNorms(context.backend, parameters: parameters, chunk: chunk)
        try chunk.requireIntact()
        return norms
    }
}
