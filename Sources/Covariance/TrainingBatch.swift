import Compute
import Objective
import Optimizers
import PointStore
import Runs

/// The points that a run was trained on in the end: all that were compared for its last steps.
package struct TrainingBatch {
    private let stream: ChunkStream
    private let parts: Int
    private let start: Int
    package let objective: Objective
    package let store: StoreReader
    private let sizes: [PointSet: Int]
    /// Whether the run in the end lowered the loss over these points. Methods that solve samples of rows pass over the few that dominate
    /// it, at corners, and do not end near its minimum.
    let isMinimized: Bool

    package init(of checkpoint: Checkpoint, _ store: StoreReader, _ objective: Objective) {
        let configuration = checkpoint.configuration
        sizes = configuration.stream.sizes
        stream = ChunkStream(
            store, sizes: sizes, seed: configuration.seed,
            bootstrap: configuration.resampling == .bootstrap ? Bootstrap(seed: configuration.seed) : nil)
        parts = configuration.stream.sampleChunks
        let last = max(checkpoint.iteration - 1, 0)
        let phase = configuration.phases.phase(at: last)
        isMinimized = !(phase.method is any SamplingOptimizer.Type)
        start = max(
            phase.start, configuration.sampling.lastResampling(at: last) ?? 0)
        (self.objective, self.store) = (objective, store)
    }

    /// Points of a set in it.
    package func count(_ set: PointSet) -> Int { min(store.count(set), parts * (sizes[set] ?? 0)) }

    /// Half of the gradient of its loss, Jᵀ r.
    package func halfGradient(
        _ backend: any Backend, parameters: [Float], factors: [Double], check: () throws -> Void
    ) throws -> [Double] {
        var sum = [Double](repeating: 0, count: parameters.count)
        var gradient: [Float] = []
        for part in 0..<parts {
            try check()
            let chunk = try stream.chunk(ChunkRequest(.fixed(part: part, of: parts, since: start)), next: nil)
            _ = try objective.evaluate(
                backend, parameters: parameters, chunk: chunk, factors: factors, gradient: &gradient)
            try chunk.requireIntact()
            for k in sum.indices { sum[k] += Double(gradient[k]) / Double(2 * parts) }
        }
        return sum
    }
}
