import Compute
import Objective
import Optimizers
import PointStore
import Runs

/// The points of an iteration: a chunk of its own, or, for a method that compares losses of different iterations, the same
/// chunks in all of them, read one after the other however many they are. Collocation points that were drawn stand in
/// for the store's.
struct Sample {
    /// Chunks by their number in the stream.
    let chunks: Range<Int>
    private let drawn: DrawnOrder?

    /// - Parameter sampleChunks: chunks of a sample that is kept.
    init(iteration: Int, phaseStart: Int, keepsSample: Bool, plan: Plan, drawn: DrawnPoints?) {
        let start = max(phaseStart, plan.sampling.drawing(at: iteration) ?? 0)
        chunks = keepsSample ? start..<start + plan.stream.sampleChunks : iteration..<iteration + 1
        self.drawn = drawn.map {
            DrawnOrder($0, chunks: plan.stream.sampleChunks, first: start, isShuffled: !keepsSample, seed: plan.seed)
        }
    }

    /// A chunk, with the points that were drawn where there are any.
    func chunk(_ number: Int, _ assembly: Assembly, next: Int, reusing used: consuming Chunk?) throws -> Chunk {
        var chunk = try assembly.stream.chunk(number, next: next, reusing: used)
        if let drawn { chunk.columns[.collocation] = drawn.columns(ofChunk: number) }
        return chunk
    }

    /// The mean loss over the chunks and its gradient.
    ///
    /// - Parameters:
    ///   - factors: on the terms' weights.
    ///   - next: the chunk that will be asked for after this.
    func evaluate(
        _ assembly: Assembly, _ parameters: [Float], factors: [Double]?, next: Int, _ gradient: inout [Float],
        used: inout Chunk?
    ) throws -> (loss: Loss, points: Int) {
        var sum: [Double] = []
        var loss = Loss(termCount: assembly.objective.terms.count)
        var points = 0
        for number in chunks {
            let chunk = try chunk(
                number, assembly, next: number + 1 < chunks.upperBound ? number + 1 : next, reusing: used.take())
            let part = try assembly.evaluate(parameters, chunk, factors, &gradient)
            points += assembly.objective.sets.reduce(0) { $0 + chunk.count($1) }
            used = chunk
            if chunks.count == 1 { return (part, points) }
            loss.add(part, times: 1 / Double(chunks.count))
            if sum.isEmpty { sum = [Double](repeating: 0, count: gradient.count) }
            for k in gradient.indices { sum[k] += Double(gradient[k]) }
        }
        for k in gradient.indices { gradient[k] = Float(sum[k] / Double(chunks.count)) }
        return (loss, points)
    }

    /// The norms of the weighted terms' gradients, over the first chunk.
    func gradientNorms(_ assembly: Assembly, _ parameters: [Float], used: inout Chunk?) throws -> [Double] {
        let first = chunks.lowerBound
        let chunk = try assembly.stream.chunk(first, next: first, reusing: used.take())
        used = chunk
        return try assembly.objective.gradientNorms(assembly.backend, parameters: parameters, chunk: chunk)
    }
}
