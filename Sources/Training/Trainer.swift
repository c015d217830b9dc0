import Compute
import Fields
import Objective
import Optimizers
import PointStore
import Runs

/// Where a run stands, for progress displays.
public struct TrainingProgress: Sendable {
    public let iteration: Int
    /// By the configuration's fixed weights.
    public let loss: Loss
    /// Points of all sets that were visited since the last report.
    public let points: Int
}

/// How a call of the trainer ended.
public enum TrainingOutcome: Sendable, Equatable {
    /// All iterations of the configuration are done, or as many as its stopping rule asks for.
    case complete(iteration: Int, checkpoint: String)
    /// Stopped on request after a whole iteration.
    case stopped(iteration: Int, checkpoint: String)
}

/// The loop: a chunk, its loss and gradient, a step; a checkpoint now and then.
public struct Trainer {
    public let context: TrainingContext
    public let directory: RunDirectory
    /// Without the optimizer's state, which is added when it is saved.
    private var checkpoint: Checkpoint
    private var optimizer: any Optimizer
    /// Path of the newest checkpoint whose loss was found finite.
    private var lastGood: String?

    /// A new run, with the weights that its seed gives.
    public init(starting context: TrainingContext, in directory: RunDirectory) throws {
        let networks = context.objective.residualProblem.networks
        let optimizer = context.makeOptimizer(at: 0)
        self.init(
            context, directory, optimizer,
            Checkpoint(
                configuration: context.configuration, iteration: 0,
                parameters: networks.initialParameters(seed: context.configuration.seed),
                optimizer: OptimizerState(), balance: context.startingBalance?.factors,
                history: History(
                    termNames: context.objective.terms.map(\.name), units: context.objective.terms.map(\.unit)),
                storeFingerprint: context.store.fingerprint, backend: context.backend.summary, trainedSeconds: 0))
    }

    /// Goes on where a checkpoint of the same configuration (but for the number of iterations) ended.
    public init(resuming checkpoint: Checkpoint, _ context: TrainingContext, in directory: RunDirectory) throws {
        guard checkpoint.storeFingerprint == context.store.fingerprint else {
            throw RunError.otherStore(
                run: directory.path, store: context.configuration.store, expected: checkpoint.storeFingerprint,
                found: context.store.fingerprint)
        }
        var optimizer = context.makeOptimizer(at: checkpoint.iteration)
        // A checkpoint between two phases holds the state of the first.
        if context.configuration.phases.phase(at: checkpoint.iteration).start < max(checkpoint.iteration, 1) {
            optimizer.state = checkpoint.optimizer
        }
        var continued = checkpoint
        continued.configuration = context.configuration
        continued.optimizer = OptimizerState()
        continued.hasEnded = false
        continued.backend = context.backend.summary
        self.init(context, directory, optimizer, continued)
        lastGood = directory.checkpointPath(checkpoint.iteration)
    }

    private init(
        _ context: TrainingContext, _ directory: RunDirectory, _ optimizer: any Optimizer, _ checkpoint: Checkpoint
    ) {
        self.context = context
        self.directory = directory
        self.optimizer = optimizer
        self.checkpoint = checkpoint
    }

    /// Trains to the configuration's end. A checkpoint is written at the beginning of an iteration whose loss and gradient are
    /// known to be finite, so that every checkpoint is good; the last one has made all steps. A store or a device that
    /// fails ends the run with its own error, after a checkpoint of the iteration that was reached.
    public mutating func run(
        checkpointEvery interval: Duration, shouldStop: () -> Bool, report: (TrainingProgress) -> Void
    ) throws -> TrainingOutcome {
        let clock = ContinuousClock()
        let begin = clock.now
        let secondsBefore = checkpoint.trainedSeconds
        var lastSaved = begin
        let context = context
        let phases = context.configuration.phases
        var gradient: [Float] = []
        var used: Chunk?
        // The loss at the parameters, and its gradient, where the last step has computed them on points that are kept.
        var known: Loss?
        // Whether the last step found nothing better than it: another would find the same.
        var isStuck = false
        var visited = 0
        // A device that makes steps by itself tells of them late.
        var wantsStop = false
        while true {
            let iteration = checkpoint.iteration
            let phase = phases.phase(at: iteration)
            if phase.start == iteration, iteration > 0 {
                optimizer = context.makeOptimizer(at: iteration)
                (known, isStuck) = (nil, false)
            }
            if context.configuration.sampling.drawing(at: iteration) == iteration {
                (known, isStuck) = (nil, false)
                do {
                    try drawPoints()
                    optimizer.batchDidChange()
                } catch let cause as any Failure {
                    checkpoint.trainedSeconds = secondsBefore + (clock.now - begin) / .seconds(1)
                    throw interruption(by: cause)
                }
            }
            let requiresFixedBatch = type(of: optimizer).requiresFixedBatch
            let sample = Sample(
                iteration: iteration, phaseStart: phase.start, requiresFixedBatch: requiresFixedBatch,
                configuration: context.configuration,
                drawn: checkpoint.drawn)
            // As the checkpoint holds it until the step is made: a resumed run updates it once more.
            var balance = checkpoint.balance.map(LossReweighting.init(factors:))
            func evaluate(_ parameters: [Float], _ gradient: inout [Float]) throws -> Loss {
                let (loss, count) = try sample.evaluate(
                    context, parameters, factors: balance?.factors, &gradient, used: &used)
                visited += count
                return loss
            }
            let isDue = LossReweighting.isDue(iteration, phaseStart: phase.start)
            let loss: Loss
            do {
                // Losses of different iterations are compared where the sample is kept.
                if context.configuration.balance == .gradient,
                    iteration == phase.start || (isDue && !requiresFixedBatch)
                {
                    balance?.update(
                        gradientNorms: try sample.gradientNorms(context, checkpoint.parameters, used: &used))
                }
                loss = try known ?? evaluate(checkpoint.parameters, &gradient)
            } catch let cause as any Failure {
                checkpoint.trainedSeconds = secondsBefore + (clock.now - begin) / .seconds(1)
                throw interruption(by: cause)
            }
            try requireFinite(loss, gradient, iteration)
            var fixed = loss
            fixed.total = context.objective.total(of: loss.terms)
            report(TrainingProgress(iteration: iteration, loss: fixed, points: visited))
            visited = 0

            let isLast =
                iteration >= context.configuration.iterations || (requiresFixedBatch && isFlat(fixed.total, phases))
            let stops = !isLast && (wantsStop || shouldStop())
            if isLast || stops || clock.now - lastSaved >= interval {
                checkpoint.trainedSeconds = secondsBefore + (clock.now - begin) / .seconds(1)
                checkpoint.hasEnded = isLast
                lastGood = try saved()
                checkpoint.hasEnded = false
                lastSaved = clock.now
            }
            if isLast { return .complete(iteration: iteration, checkpoint: lastGood ?? "") }
            if stops { return .stopped(iteration: iteration, checkpoint: lastGood ?? "") }

            if let device = DeviceSteps(context, optimizer, checkpoint) {
                do {
                    known = nil
                    try device.run(&checkpoint, &optimizer, &used) {
                        // This one has been reported.
                        if iteration != $0.iteration { report($0) }
                    } shouldEnd: {
                        wantsStop = wantsStop || shouldStop()
                        return wantsStop || clock.now - lastSaved >= interval
                    }
                    continue
                } catch let cause as DeviceSteps.Divergence {
                    throw RunError.diverged(iteration: cause.iteration, term: cause.term, lastGood: lastGood)
                } catch let cause as any Failure {
                    checkpoint.trainedSeconds = secondsBefore + (clock.now - begin) / .seconds(1)
                    throw interruption(by: cause)
                }
            }
            checkpoint.history.append(
                total: fixed.total, terms: loss.terms, misfits: loss.meanSquares.map { $0.squareRoot() })
            var last = loss
            var lastGradient: [Float] = []
            if !isStuck {
                do {
                    let outcome = try optimizer.step(&checkpoint.parameters, loss: loss.total, gradient: gradient) {
                        parameters, gradient in
                        last = try evaluate(parameters, &gradient)
                        lastGradient = gradient
                        return last.total
                    }
                    switch outcome {
                    case .moved: known = nil
                    case .movedToLastEvaluation: (known, gradient) = (last, lastGradient)
                    case .noDescent: (known, isStuck) = (loss, true)
                    }
                } catch let cause as any Failure {
                    checkpoint.history.removeLast()
                    checkpoint.trainedSeconds = secondsBefore + (clock.now - begin) / .seconds(1)
                    throw interruption(by: cause)
                }
            }
            if context.configuration.balance == .none, isDue, context.objective.hasRegularizer {
                balance?.setRegularizers(
                    of: context.objective.terms, rest: context.objective.withoutRegularizers(loss.terms))
                (known, isStuck) = (nil, false)
                optimizer.batchDidChange()
            }
            checkpoint.balance = balance?.factors
            checkpoint.iteration += 1
        }
    }

    /// Whether the last phase has come to an end by itself, as a function of the history, so that a resumed run agrees.
    private func isFlat(_ loss: Double, _ phases: OptimizerPhases) -> Bool {
        let configuration = context.configuration
        guard configuration.stop == .flat, let last = phases.phases.last, checkpoint.iteration > last.start else {
            return false
        }
        let start = max(last.start, configuration.sampling.drawing(at: checkpoint.iteration) ?? 0)
        return PlateauCriterion.isReached(
            checkpoint.history.totals[start..<checkpoint.iteration], loss: loss,
            observedValues: context.observedValues)
    }

    /// A checkpoint of the iteration may have its points already.
    private mutating func drawPoints() throws {
        guard context.configuration.sampling.method != .uniform, checkpoint.drawn?.iteration != checkpoint.iteration
        else {
            return
        }
        checkpoint.drawn = try context.draw(
            at: checkpoint.iteration, parameters: checkpoint.parameters, replacing: checkpoint.drawn)
    }

    /// Saves what was reached and says where. The loss of this iteration is not known, so finite weights must do.
    private mutating func interruption(by cause: any Failure) -> RunError {
        let isSaved = checkpoint.iteration == 0 || lastGood == directory.checkpointPath(checkpoint.iteration)
        if !isSaved, checkpoint.parameters.allSatisfy(\.isFinite) {
            // Where this fails as well (one disk for both), the checkpoint before it is named.
            lastGood = (try? saved()) ?? lastGood
        }
        return .interrupted(by: cause, iteration: checkpoint.iteration, lastGood: lastGood)
    }

    /// Writes the checkpoint with the optimizer's state, of which no copy stays: it can be larger than all else.
    private mutating func saved() throws -> String {
        checkpoint.optimizer = optimizer.state
        defer { checkpoint.optimizer = OptimizerState() }
        return try directory.save(checkpoint)
    }

    private func requireFinite(_ loss: Loss, _ gradient: [Float], _ iteration: Int) throws {
        if let bad = loss.terms.firstIndex(where: { !$0.isFinite }) {
            throw RunError.diverged(
                iteration: iteration, term: "\(context.objective.terms[bad].name) loss", lastGood: lastGood)
        }
        guard loss.total.isFinite, gradient.allSatisfy(\.isFinite) else {
            throw RunError.diverged(iteration: iteration, term: "gradient", lastGood: lastGood)
        }
    }
}
