import Compute
import Objective
import Optimizers
import PointStore

/// Steps of Adam on a device that keeps parameters and moments and makes steps while the host prepares the next ones. Losses become
/// known some iterations later, but for an iteration that needs its result: there the device comes to rest, the loss is evaluated
/// as on the host, and the step is asked for afterwards.
///
/// So checkpoints are as good as on the host, and a run that is stopped and resumed on one device repeats the one that was not.
struct DeviceStepper: Stepper {
    private let objective: Objective
    private let device: any SteppingBackend
    private let evaluator: BackendEvaluator
    /// Whether the device has the parameters; the state's are behind.
    private var isRunning = false
    /// Steps that were asked for and whose losses are not known yet, the oldest first.
    private var pending: [PendingStep] = []
    private var known: [IterationResult] = []
    /// The batch of a step whose result was needed first, and its factors.
    private var waiting: (chunk: Chunk, factors: [Double]?)?

    private struct PendingStep {
        let iteration: Int
        let divisors: [Double]
        /// Whether its result was told when it was asked for.
        let isReported: Bool
    }

    /// nil where the host must make the steps: another device, another method, weights that follow from the terms' gradients.
    init?(_ context: TrainingContext, _ evaluator: any Evaluator, _ optimizer: any Optimizer) {
        guard let evaluator = evaluator as? BackendEvaluator, let device = evaluator.backend as? any SteppingBackend,
            optimizer is Adam, context.configuration.balance == .none
        else { return nil }
        (objective, self.device, self.evaluator) = (context.objective, device, evaluator)
    }

    mutating func accumulate(
        _ state: inout TrainingState, on batch: Batch, factors: [Double]?, needsResult: Bool
    ) throws {
        let chunk = try batch.chunk(0)
        guard needsResult else { return try accumulate(state, chunk, factors, isReported: false) }
        try synchronize(&state)
        var gradient: [Float] = []
        var loss = try evaluator.evaluate(state.parameters, on: Batch([chunk]), factors: factors, gradient: &gradient)
        let isFinite = loss.total.isFinite && gradient.allSatisfy(\.isFinite)
        loss.total = objective.total(of: loss.terms)
        known.append(IterationResult(iteration: state.iteration, loss: loss, isGradientFinite: isFinite))
        waiting = (chunk, factors)
    }

    mutating func results() throws -> [IterationResult] {
        if isRunning { try collect(all: false) }
        defer { known = [] }
        return known
    }

    mutating func update(_ state: inout TrainingState) throws {
        if let step = waiting.take() { try accumulate(state, step.chunk, step.factors, isReported: true) }
        guard var adam = state.optimizer as? Adam else { return }
        try reduce()
        try device.update(MomentFactors(&adam))
        state.optimizer = adam
    }

    mutating func synchronize(_ state: inout TrainingState) throws {
        waiting = nil
        guard isRunning else { return }
        try collect(all: true)
        let moments = try device.endSteps()
        isRunning = false
        state.parameters = moments.parameters
        guard var adam = state.optimizer as? Adam else { return }
        (adam.state.firstMoment, adam.state.secondMoment) = (moments.first, moments.second)
        state.optimizer = adam
    }

    mutating func lossDidChange(_ state: inout TrainingState) {}

    /// Asks the device for the gradient over a chunk.
    private mutating func accumulate(
        _ state: TrainingState, _ chunk: Chunk, _ factors: [Double]?, isReported: Bool
    ) throws {
        if !isRunning {
            guard let adam = state.optimizer as? Adam else { return }
            try device.beginSteps(
                MomentState(
                    parameters: state.parameters, first: adam.state.firstMoment, second: adam.state.secondMoment))
            isRunning = true
        }
        let (batches, coefficients) = objective.evaluation(of: chunk, factors: factors)
        try device.accumulate(batches: batches, coefficients: coefficients)
        try chunk.requireIntact()
        pending.append(
            PendingStep(iteration: state.iteration, divisors: objective.divisors(of: chunk), isReported: isReported))
    }

    /// With other processes the gradient comes to the host and goes back.
    private func reduce() throws {
        guard !(evaluator.reduction is SingleProcess) else { return }
        try device.exchangeGradient { try evaluator.reduction.reduce(&$0) }
    }

    private mutating func collect(all: Bool) throws {
        for result in try device.results(all: all) {
            let step = pending.removeFirst()
            guard !step.isReported else { continue }
            var loss = objective.loss(result.sums, divisors: step.divisors)
            try evaluator.reduction.reduce(&loss)
            loss.total = objective.total(of: loss.terms)
            known.append(
                IterationResult(
                    iteration: step.iteration, loss: loss,
                    isGradientFinite: loss.total.isFinite && result.isGradientFinite))
        }
    }
}

extension MomentFactors {
    /// Those of Adam's next update, which counts as made.
    public init(_ adam: inout Adam) {
        let factors = adam.nextFactors()
        self.init(
            keepFirst: factors.keep_first, takeFirst: factors.take_first, keepSecond: factors.keep_second,
            takeSecond: factors.take_second, rate: factors.rate, epsilon: factors.epsilon)
    }
}
