import Objective
import Optimizers

/// Steps of any optimizer, with loss and gradient from an evaluator.
struct HostStepper: Stepper {
    private let objective: Objective
    private let evaluator: any Evaluator
    private var batch = Batch([])
    private var factors: [Double]?
    /// At the state's parameters: by this iteration's weights, and its gradient.
    private var loss = Loss(termCount: 0)
    private var gradient: [Float] = []
    /// Whether the last step has left them so that they need not be computed again.
    private var isCached = false
    /// Whether the last step found no descent: on the same points another would find none either.
    private var cannotDescend = false
    private var decay: WeightDecay?
    private let phaseStart: Int
    private var result: IterationResult?

    init(_ context: TrainingContext, _ evaluator: any Evaluator, _ state: TrainingState) {
        (objective, self.evaluator) = (context.objective, evaluator)
        phaseStart = context.phases.phase(at: state.iteration).start
        decay = WeightDecay(context, isBatchFixed: type(of: state.optimizer).requiresFixedBatch)
    }

    mutating func accumulate(
        _ state: inout TrainingState, on batch: Batch, factors: [Double]?, needsResult: Bool
    ) throws {
        (self.batch, self.factors) = (batch, factors)
        if !isCached {
            loss = try evaluator.evaluate(state.parameters, on: batch, factors: factors, gradient: &gradient)
        }
        var reported = loss
        reported.total = objective.total(of: loss.terms)
        result = IterationResult(
            iteration: state.iteration, loss: reported,
            isGradientFinite: loss.total.isFinite && gradient.allSatisfy(\.isFinite))
        let phaseStart = phaseStart
        if decay?.update(reported.total, at: state.iteration, phaseStart: phaseStart, state.history) == true {
            cannotDescend = false
            state.optimizer.batchDidChange()
        }
    }

    mutating func results() -> [IterationResult] {
        defer { result = nil }
        return result.map { [$0] } ?? []
    }

    mutating func update(_ state: inout TrainingState) throws {
        guard !cannotDescend else { return }
        guard var optimizer = state.takeOptimizer() as? any GradientOptimizer else {
            preconditionFailure("another stepper makes the steps of this method")
        }
        defer { state.optimizer = optimizer }
        var last = loss
        var lastGradient: [Float] = []
        let (evaluator, batch, factors, decay) = (evaluator, batch, factors, decay)
        var start = gradient
        let penalty = decay?.add(at: state.parameters, to: &start) ?? 0
        let outcome = try optimizer.step(&state.parameters, loss: loss.total + penalty, gradient: start) {
            parameters, gradient in
            last = try evaluator.evaluate(parameters, on: batch, factors: factors, gradient: &gradient)
            lastGradient = gradient
            return last.total + (decay?.add(at: parameters, to: &gradient) ?? 0)
        }
        switch outcome {
        case .moved: isCached = false
        case .movedToLastEvaluation: (loss, gradient, isCached) = (last, lastGradient, true)
        case .noDescent: (isCached, cannotDescend) = (true, true)
        }
    }

    mutating func synchronize(_ state: inout TrainingState) {}

    mutating func lossDidChange(_ state: inout TrainingState) {
        (isCached, cannotDescend) = (false, false)
        state.optimizer.batchDidChange()
    }
}
