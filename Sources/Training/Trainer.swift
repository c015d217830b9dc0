import Compute
import Fields
import Objective
import Optimizers
import Runs

/// Trains: batch, loss and gradient, step; a checkpoint now and then.
public struct Trainer {
    private let context: TrainingContext
    private let batches: BatchSource
    private let evaluator: any Evaluator
    private var state: TrainingState
    private var stepper: any Stepper
    private var keeper: CheckpointKeeper

    /// A new run, with the initial weights of its seed.
    ///
    /// - Parameter evaluator: nil: the context's backend.
    public init(starting context: TrainingContext, in directory: RunDirectory, evaluator: (any Evaluator)? = nil) {
        self.init(context, TrainingState(starting: context), CheckpointKeeper(directory), evaluator)
    }

    /// Continues where a checkpoint of the same configuration (but for what a resumed run may change) was written.
    ///
    /// - Parameter checkpoint: give it away (`take()`): its optimizer's arrays become the run's, which copies them if someone else has them.
    public init(
        resuming checkpoint: consuming Checkpoint, _ context: TrainingContext, in directory: RunDirectory,
        evaluator: (any Evaluator)? = nil
    ) throws {
        guard context.store.has(fingerprint: checkpoint.storeFingerprint) else {
            throw RunError.otherStore(
                run: directory.path, store: context.configuration.store, expected: checkpoint.storeFingerprint,
                found: context.store.fingerprint)
        }
        let newest = directory.checkpointPath(checkpoint.iteration)
        self.init(
            context, try TrainingState(resuming: checkpoint, context), CheckpointKeeper(directory, newest: newest),
            evaluator)
    }

    private init(
        _ context: TrainingContext, _ state: TrainingState, _ keeper: CheckpointKeeper, _ evaluator: (any Evaluator)?
    ) {
        self.context = context
        (self.state, self.keeper) = (state, keeper)
        self.evaluator = evaluator ?? BackendEvaluator(context.objective, on: context.backend)
        batches = BatchSource(context)
        stepper = Trainer.stepper(context, self.evaluator, state)
    }

    private static func stepper(
        _ context: TrainingContext, _ evaluator: any Evaluator, _ state: TrainingState
    ) -> any Stepper {
        if let stepper = DeviceStepper(context, evaluator, state.optimizer) { return stepper }
        if let stepper = SampledStepper(context, evaluator, state.optimizer) { return stepper }
        return HostStepper(context, evaluator, state)
    }

    /// Trains to the end of the configuration. A checkpoint is written at the beginning of an iteration whose loss and gradient are
    /// known to be finite, so that every checkpoint is good; the last one has made all steps. A store or a device that fails ends
    /// the run with its own error, after a checkpoint of the iteration that was reached.
    ///
    /// - Parameter warn: called with a message for a checkpoint that could not be written; training goes on, and it is tried again
    ///   when the next is due. Only the last one of the call ends it.
    public mutating func run(
        checkpointEvery interval: Duration, shouldStop: () -> Bool, report: (TrainingProgress) -> Void,
        warn: (String) -> Void = { _ in }
    ) throws -> TrainingOutcome {
        keeper.start(interval: interval)
        do {
            do { return try loop(shouldStop, report, warn) } catch is EvaluationStopped {
                return try dropIteration(report)
            }
        } catch let failure as CheckpointKeeper.NotSaved {
            throw failure.cause
        } catch let cause as any Failure where !(cause is RunError) {
            throw interruption(by: cause, report)
        }
    }

    private mutating func loop(
        _ shouldStop: () -> Bool, _ report: (TrainingProgress) -> Void, _ warn: (String) -> Void
    ) throws -> TrainingOutcome {
        var wantsStop = false
        while true {
            try beginIteration(shouldStop, report)
            let reweighting = try reweighted()
            let batch = batch
            try stepper.accumulate(
                &state, on: batch, factors: reweighting?.factors, needsResult: wantsStop || keeper.isDue || isMilestone)
            let loss = try record(stepper.results(), report)
            wantsStop = wantsStop || shouldStop()
            if let loss, let outcome = try settle(loss, wantsStop, warn) { return outcome }
            try stepper.update(&state)
            if let loss { state.history.append(loss) }
            endIteration(loss, reweighting)
        }
    }

    /// Prepares what changes between two iterations: the optimizer at the start of a phase, resampled points.
    private mutating func beginIteration(
        _ shouldStop: () -> Bool, _ report: (TrainingProgress) -> Void
    ) throws {
        let iteration = state.iteration
        let startsPhase = iteration > 0 && phase.start == iteration
        let isResampled = context.configuration.sampling.lastResampling(at: iteration) == iteration
        guard startsPhase || isResampled else { return }
        try stepper.synchronize(&state)
        _ = try record(stepper.results(), report)
        if startsPhase {
            state.optimizer = context.makeOptimizer(at: iteration)
            stepper = Trainer.stepper(context, evaluator, state)
        }
        guard isResampled else { return }
        try resample(shouldStop)
        stepper.lossDidChange(&state)
    }

    /// A checkpoint of the iteration may have its points already.
    private mutating func resample(_ shouldStop: () -> Bool) throws {
        guard context.configuration.sampling.method != .uniform, state.resampled?.iteration != state.iteration else {
            return
        }
        state.resampled = try withoutActuallyEscaping(shouldStop) { shouldStop in
            try AdaptiveSampling(context.configuration, batches, evaluator, shouldStop: shouldStop).points(
                at: state.iteration, parameters: state.parameters, replacing: state.resampled)
        }
    }

    /// The terms' factors of this iteration. They become the state's when the step is made: a resumed run, too, begins with those before.
    private func reweighted() throws -> LossReweighting? {
        var reweighting = state.reweighting
        // Losses of different iterations are compared on a fixed batch: there they change with the phase alone.
        if context.configuration.balance == .gradient,
            state.iteration == phase.start || (isReweightingDue && !isBatchFixed)
        {
            reweighting?.update(
                gradientNorms: try evaluator.gradientNorms(state.parameters, on: batch))
        }
        return reweighting
    }

    /// Checks and reports results; returns the loss of the state's own iteration, where it is among them. Earlier ones
    /// are history.
    private mutating func record(_ results: [IterationResult], _ report: (TrainingProgress) -> Void) throws -> Loss? {
        var current: Loss?
        for result in results {
            try requireFinite(result)
            report(
                TrainingProgress(iteration: result.iteration, loss: result.loss, points: batches.takeVisited()))
            if result.iteration == state.iteration {
                current = result.loss
            } else {
                state.history.append(result.loss)
            }
        }
        return current
    }

    /// Writes a checkpoint where one is due, and ends the run where it is complete or asked to stop.
    private mutating func settle(_ loss: Loss, _ wantsStop: Bool, _ warn: (String) -> Void) throws -> TrainingOutcome? {
        let iteration = state.iteration
        let isComplete =
            iteration >= context.configuration.iterations || (isBatchFixed && hasReachedPlateau(loss.total))
        guard isComplete || wantsStop || keeper.isDue else { return nil }
        let path: String
        do {
            path = try keeper.save(state.checkpoint(context, seconds: keeper.seconds, hasEnded: isComplete))
        } catch {
            guard !isComplete, !wantsStop else { throw error }
            let pause = NumberText.duration(keeper.interval / .seconds(1))
            warn("\(error.cause); training goes on, and the next is tried in \(pause)")
            return nil
        }
        if isComplete { return .complete(iteration: iteration, checkpoint: path) }
        return wantsStop ? .stopped(iteration: iteration, checkpoint: path) : nil
    }

    private mutating func endIteration(_ loss: Loss?, _ reweighting: LossReweighting?) {
        state.reweighting = reweighting
        let objective = context.objective
        if let loss, context.configuration.balance == .none, isReweightingDue, objective.hasRegularizer {
            let rest = objective.withoutRegularizers(loss.terms)
            state.reweighting?.setRegularizers(of: objective.terms, rest: rest)
            stepper.lossDidChange(&state)
        }
        state.iteration += 1
    }

    // MARK: where the run stands

    private var phase: OptimizerPhases.Phase { context.phases.phase(at: state.iteration) }
    private var isBatchFixed: Bool { type(of: state.optimizer).requiresFixedBatch }
    private var isReweightingDue: Bool { LossReweighting.isDue(state.iteration, phaseStart: phase.start) }

    private var batch: Batch {
        batches.batch(
            at: state.iteration, phaseStart: phase.start, isFixed: isBatchFixed, resampled: state.resampled)
    }

    /// Whether something depends on this iteration's loss, besides a checkpoint that is due.
    private var isMilestone: Bool {
        state.iteration == 0 || state.iteration >= context.configuration.iterations || phase.start == state.iteration
            || (context.objective.hasRegularizer && isReweightingDue)
    }

    /// Whether the last phase has come to an end by itself: a function of the history, so that a resumed run agrees.
    private func hasReachedPlateau(_ loss: Double) -> Bool {
        let configuration = context.configuration
        guard configuration.stop == .flat, let last = context.phases.phases.last, state.iteration > last.start else {
            return false
        }
        let start = max(last.start, configuration.sampling.lastResampling(at: state.iteration) ?? 0)
        return PlateauCriterion.isReached(
            state.history.totals[start..<state.iteration], loss: loss, observedValues: context.observedValues)
    }

    // MARK: failures

    /// The end of a run whose device was asked to stop within an iteration: a resumed run makes it from its beginning. Its loss
    /// is not known, so finite weights must do.
    private mutating func dropIteration(_ report: (TrainingProgress) -> Void) throws -> TrainingOutcome {
        try stepper.synchronize(&state)
        _ = try record(stepper.results(), report)
        guard state.parameters.allSatisfy(\.isFinite) else {
            throw RunError.diverged(iteration: state.iteration, term: "network", lastGood: keeper.newest)
        }
        if let newest = keeper.newest, keeper.holds(state.iteration) {
            return .stopped(iteration: state.iteration, checkpoint: newest)
        }
        let path = try keeper.save(state.checkpoint(context, seconds: keeper.seconds, hasEnded: false))
        return .stopped(iteration: state.iteration, checkpoint: path)
    }

    /// Saves what was reached and says where. The loss of this iteration is not known, so finite weights must do.
    private mutating func interruption(by cause: any Failure, _ report: (TrainingProgress) -> Void) -> any Error {
        do {
            try stepper.synchronize(&state)
            _ = try record(stepper.results(), report)
        } catch let divergence as RunError {
            return divergence
        } catch {
            // The device is gone, and what it had reached with it.
            return RunError.interrupted(by: cause, iteration: state.history.count, lastGood: keeper.newest)
        }
        let isSaved = state.iteration == 0 || keeper.holds(state.iteration)
        if !isSaved, state.parameters.allSatisfy(\.isFinite) {
            // Where this fails as well (one disk for both), the checkpoint before it is named.
            _ = try? keeper.save(state.checkpoint(context, seconds: keeper.seconds, hasEnded: false))
        }
        return RunError.interrupted(by: cause, iteration: state.iteration, lastGood: keeper.newest)
    }

    private func requireFinite(_ result: IterationResult) throws {
        func diverged(_ term: String) -> RunError {
            if let columns = context.store.columnsNotFinite(in: context.objective.sets) {
                return .notFinite(store: context.store.path, columns: columns, lastGood: keeper.newest)
            }
            return .diverged(iteration: result.iteration, term: term, lastGood: keeper.newest)
        }
        if let bad = result.loss.terms.firstIndex(where: { !$0.isFinite }) {
            throw diverged("\(context.objective.terms[bad].name) loss")
        }
        guard result.isGradientFinite else { throw diverged("gradient") }
    }
}
