import Objective
import Optimizers
import Runs

/// Everything that the next iteration depends on, besides the configuration and the store: what a checkpoint keeps.
public struct TrainingState: Sendable {
    /// Steps that have been made.
    public internal(set) var iteration: Int
    public internal(set) var parameters: [Float]
    var optimizer: any Optimizer
    /// Factors on the terms' weights; nil where they stay as they are.
    var reweighting: LossReweighting?
    /// Collocation points that stand in for the store's; nil: there are none yet.
    var resampled: ResampledPoints?
    /// Losses of the iterations before `iteration`.
    public internal(set) var history: History
    /// Time spent in earlier calls [s].
    let trainedSeconds: Double

    /// The beginning of a run, with the initial weights of its seed.
    init(starting context: TrainingContext) {
        let terms = context.objective.terms
        iteration = 0
        parameters = context.objective.residualProblem.networks.initialParameters(seed: context.configuration.seed)
        optimizer = context.makeOptimizer(at: 0)
        reweighting = context.initialReweighting
        history = History(termNames: terms.map(\.name), units: terms.map(\.unit))
        trainedSeconds = 0
    }

    /// Where a checkpoint was written.
    init(resuming checkpoint: consuming Checkpoint, _ context: TrainingContext) throws {
        iteration = checkpoint.iteration
        parameters = checkpoint.parameters
        optimizer = context.makeOptimizer(at: checkpoint.iteration)
        // A checkpoint between two phases holds the state of the first.
        if context.phases.phase(at: checkpoint.iteration).start < max(checkpoint.iteration, 1) {
            try optimizer.restore(checkpoint.optimizer)
        }
        reweighting = checkpoint.balance.map(LossReweighting.init(factors:))
        resampled = checkpoint.resampled
        history = checkpoint.history
        trainedSeconds = checkpoint.trainedSeconds
    }

    /// Takes the optimizer out, to be put back after its step: its arrays would be copied for each change while the state has them too.
    mutating func takeOptimizer() -> any Optimizer {
        let taken = optimizer
        optimizer = Adam(parameterCount: 0, options: OptimizerOptions())
        return taken
    }

    /// What is written to disk. The optimizer's arrays are shared with it, not copied.
    ///
    /// - Parameters:
    ///   - seconds: of this call.
    ///   - hasEnded: whether the run has come to its end.
    func checkpoint(_ context: TrainingContext, seconds: Double, hasEnded: Bool) -> Checkpoint {
        var checkpoint = Checkpoint(
            configuration: context.configuration, iteration: iteration, parameters: parameters,
            optimizer: optimizer.stored, balance: reweighting?.factors, resampled: resampled, history: history,
            storeFingerprint: context.store.fingerprint, backend: context.backend.summary,
            trainedSeconds: trainedSeconds + seconds)
        checkpoint.hasEnded = hasEnded
        return checkpoint
    }
}

extension History {
    mutating func append(_ loss: Loss) {
        append(total: loss.total, terms: loss.terms, misfits: loss.meanSquares.map { $0.squareRoot() })
    }
}
