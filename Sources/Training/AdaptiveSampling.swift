import Compute
import Fields
import PointStore
import Runs

/// New collocation points, chosen by the residuals at points of the store: as many as a fixed batch has, evaluated chunk by chunk,
/// so that memory follows the batch and not the store. A function of the weights, the iteration and (R3) the points before.
public struct AdaptiveSampling {
    private let configuration: TrainingConfiguration
    private let batches: BatchSource
    private let evaluator: any Evaluator
    private let shouldStop: () -> Bool

    /// - Parameter shouldStop: asked while points are read; then `EvaluationStopped` is thrown.
    init(
        _ configuration: TrainingConfiguration, _ batches: BatchSource, _ evaluator: any Evaluator,
        shouldStop: @escaping () -> Bool = { false }
    ) {
        (self.configuration, self.batches, self.evaluator) = (configuration, batches, evaluator)
        self.shouldStop = shouldStop
    }

    /// For callers without a trainer.
    public init(_ context: TrainingContext) {
        self.init(
            context.configuration, BatchSource(context), BackendEvaluator(context.objective, on: context.backend))
    }

    public func points(at iteration: Int, parameters: [Float], replacing previous: ResampledPoints?) throws
        -> ResampledPoints
    {
        let sampling = configuration.sampling
        // Each resampling has a number, and chunks of its own.
        let number = iteration / sampling.every
        if sampling.method == .r3 {
            let points = try previous?.columns ?? uniform(number - 1, times: 1)
            let fresh = try uniform(number, times: 1)
            return ResampledPoints(iteration: iteration, columns: try released(parameters, points, fresh: fresh))
        }
        let candidates = try uniform(number, times: sampling.candidates)
        let weights = ResidualDensity(exponent: sampling.exponent, floor: sampling.floor).weights(
            try residuals(parameters, at: candidates))
        let count = configuration.stream.sampleChunks * batches.collocationSize
        let random = unitInterval(mixed(mixed(configuration.seed, 0x52_4144), UInt64(number)))
        let places = ResidualDensity.places(weights, count: count, random: random)
        return ResampledPoints(iteration: iteration, columns: candidates.map { column in places.map { column[$0] } })
    }

    /// R3 (Daw et al. 2023, "Mitigating propagation failures in physics-informed neural networks using
    /// retain-resample-release sampling", ICML): points whose residual exceeds the mean are retained, fresh ones take the
    /// places of the others.
    private func released(_ parameters: [Float], _ points: [[Float]], fresh: [[Float]]) throws -> [[Float]] {
        let residuals = try residuals(parameters, at: points)
        let mean = residuals.reduce(0.0) { $0 + Double($1) } / Double(residuals.count)
        return zip(points, fresh).map { old, new in
            residuals.indices.map { Double(residuals[$0]) > mean ? old[$0] : new[$0] }
        }
    }

    /// Points of the store, uniform on the shelf: as many times a fixed batch as asked for.
    private func uniform(_ number: Int, times: Int) throws -> [[Float]] {
        let chunks = times * configuration.stream.sampleChunks
        var columns = PointSet.collocation.columns.map { _ in [Float]() }
        for column in columns.indices { columns[column].reserveCapacity(chunks * batches.collocationSize) }
        for place in 0..<chunks {
            if shouldStop() { throw EvaluationStopped() }
            let points = try batches.collocationPoints(of: number * chunks + place)
            for column in columns.indices { columns[column] += points[column] }
        }
        return columns
    }

    /// By chunks, like everything else on a backend.
    private func residuals(_ parameters: [Float], at columns: [[Float]]) throws -> [Float] {
        let size = batches.collocationSize
        var residuals: [Float] = []
        residuals.reserveCapacity(columns[0].count)
        for start in stride(from: 0, to: columns[0].count, by: size) {
            residuals += try evaluator.residuals(
                parameters, at: columns.map { Array($0[start..<start + size]) })
        }
        return residuals
    }
}
