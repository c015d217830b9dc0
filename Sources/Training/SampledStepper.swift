import Compute
import Fields
import Objective
import Optimizers
import PointStore

/// Steps of methods that work on a sample of an iteration's rows (`SamplingOptimizer`). All points of the iteration's chunk are evaluated,
/// forward only: for the loss that is reported, and to draw the sample.
struct SampledStepper: Stepper {
    private let objective: Objective
    private let backend: any Backend
    private let seed: UInt64
    private var chunk = Chunk(columns: [PointSet: [FloatColumn]]())
    private var outputs: [[[Float]]] = []
    private var factors: [Double]?
    private var result: IterationResult?

    /// nil for other methods.
    init?(_ context: TrainingContext, _ evaluator: any Evaluator, _ optimizer: any Optimizer) {
        guard optimizer is any SamplingOptimizer, let evaluator = evaluator as? BackendEvaluator else { return nil }
        (objective, backend, seed) = (context.objective, evaluator.backend, context.configuration.seed)
    }

    mutating func accumulate(
        _ state: inout TrainingState, on batch: Batch, factors: [Double]?, needsResult: Bool
    ) throws {
        chunk = try batch.chunk(0)
        self.factors = factors
        outputs = try objective.outputs(backend, parameters: state.parameters, chunk: chunk)
        try chunk.requireIntact()
        var loss = objective.loss(of: outputs, at: chunk, factors: factors)
        let isFinite = loss.total.isFinite
        loss.total = objective.total(of: loss.terms)
        result = IterationResult(iteration: state.iteration, loss: loss, isGradientFinite: isFinite)
    }

    mutating func results() -> [IterationResult] {
        defer { result = nil }
        return result.map { [$0] } ?? []
    }

    mutating func update(_ state: inout TrainingState) throws {
        guard var optimizer = state.takeOptimizer() as? any SamplingOptimizer else {
            preconditionFailure("another stepper makes the steps of this method")
        }
        defer { state.optimizer = optimizer }
        let sample = objective.rowSample(
            of: chunk, outputs: outputs, rows: type(of: optimizer).rows,
            seed: mixed(mixed(seed, 0x6c6d), UInt64(state.iteration)))
        let problem = SampledProblem(objective: objective, backend: backend, sample: sample, factors: factors)
        _ = try optimizer.step(&state.parameters, on: problem)
        try chunk.requireIntact()
    }

    mutating func synchronize(_ state: inout TrainingState) {}
    mutating func lossDidChange(_ state: inout TrainingState) { state.optimizer.batchDidChange() }
}

private struct SampledProblem: SampledResiduals {
    let objective: Objective
    let backend: any Backend
    let sample: RowSample
    let factors: [Double]?

    func residuals(_ parameters: [Float]) throws -> [Float] {
        try objective.residuals(backend, parameters: parameters, of: sample, factors: factors)
    }

    func jacobian(_ parameters: [Float]) throws -> any Jacobian {
        try objective.jacobian(backend, parameters: parameters, of: sample, factors: factors)
    }
}
