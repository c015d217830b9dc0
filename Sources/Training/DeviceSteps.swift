import Compute
import Fields
import Objective
import Optimizers
import PointStore
import Runs

/// Iterations of Adam that a device makes by itself, one chunk each: what the trainer's loop does between two iterations at
/// which something else is due (a checkpoint, another phase, a drawing of points, the end).
///
/// At those the loop evaluates the loss itself and finds it finite, as ever; so checkpoints are as good, and a run that is stopped
/// and resumed on one GPU repeats the one that was not, wherever it was stopped.
struct DeviceSteps {
    private let context: TrainingContext
    private let device: any SteppingBackend
    private let start: Int
    private let phases: OptimizerPhases

    /// A loss or a gradient that is not finite.
    struct Divergence: Error {
        let iteration: Int
        let term: String
    }

    /// Nil where the loop must make the step: another device or method, weights that change by the terms' gradients, an iteration
    /// after which a prior's factor changes, the last iteration.
    init?(_ context: TrainingContext, _ optimizer: any Optimizer, _ checkpoint: Checkpoint) {
        guard let device = context.backend as? any SteppingBackend, optimizer is Adam,
            context.configuration.balance == .none,
            checkpoint.iteration < context.configuration.iterations
        else { return nil }
        (self.context, self.device, phases, start) = (
            context, device, context.configuration.phases, checkpoint.iteration
        )
        if changesPriors(after: start) { return nil }
    }

    /// Makes steps from the checkpoint's iteration on, one at least, and leaves the checkpoint at the iteration that was reached.
    ///
    /// A store that fails leaves it there too, and then throws.
    /// - Parameters:
    ///   - report: told of every iteration, a little later.
    ///   - shouldEnd: whether to come to an end; asked often.
    func run(
        _ checkpoint: inout Checkpoint, _ optimizer: inout any Optimizer, _ used: inout Chunk?,
        report: (TrainingProgress) -> Void, shouldEnd: () -> Bool
    ) throws {
        guard var adam = optimizer as? Adam else { return }
        let vectors = adam.state.vectors
        try device.beginSteps(
            MomentState(
                parameters: checkpoint.parameters, first: vectors["first_moment"] ?? [],
                second: vectors["second_moment"] ?? []))
        // Losses are history once the parameters behind them are there.
        var losses: [Loss] = []
        var divisors: [[Double]] = []
        var ends = false
        func take(all: Bool) throws {
            for result in try device.results(all: all) {
                let iteration = start + losses.count
                var loss = context.objective.loss(result.sums, divisors: divisors[losses.count])
                loss.total = context.objective.total(of: loss.terms)
                try requireFinite(loss, result, iteration)
                let points = Int(divisors[losses.count].reduce(0, +))
                losses.append(loss)
                report(TrainingProgress(iteration: iteration, loss: loss, points: points))
                ends = shouldEnd() || ends
            }
        }
        var failure: (any Failure)?
        var iteration = start
        repeat {
            do {
                let sample = Sample(
                    iteration: iteration, phaseStart: phases.phase(at: iteration).start, requiresFixedBatch: false,
                    configuration: context.configuration, drawn: checkpoint.drawn)
                let chunk = try sample.chunk(0, context, reusing: used.take())
                let (batches, coefficients) = context.objective.evaluation(
                    of: chunk, factors: checkpoint.balance)
                divisors.append(context.objective.divisors(of: chunk))
                used = chunk
                try device.step(batches: batches, coefficients: coefficients, factors: MomentFactors(&adam))
            } catch let cause as any Failure where iteration > start && divisors.count == iteration - start {
                // The store; the device has made what it was asked.
                failure = cause
                break
            }
            iteration += 1
            try take(all: false)
            ends = shouldEnd() || ends
        } while !ends && !isDue(iteration)
        try take(all: true)
        let state = try device.endSteps()
        checkpoint.parameters = state.parameters
        adam.state = OptimizerState(
            vectors: ["first_moment": state.first, "second_moment": state.second], counts: adam.state.counts)
        optimizer = adam
        for loss in losses {
            checkpoint.history.append(
                total: loss.total, terms: loss.terms, misfits: loss.meanSquares.map { $0.squareRoot() })
        }
        checkpoint.iteration = iteration
        if let failure { throw failure }
    }

    /// Whether the loop has something to do at an iteration besides a step.
    private func isDue(_ iteration: Int) -> Bool {
        iteration >= context.configuration.iterations || phases.phase(at: iteration).start == iteration
            || context.configuration.sampling.drawing(at: iteration) == iteration || changesPriors(after: iteration)
    }

    private func changesPriors(after iteration: Int) -> Bool {
        context.objective.hasRegularizer
            && LossReweighting.isDue(iteration, phaseStart: phases.phase(at: iteration).start)
    }

    private func requireFinite(_ loss: Loss, _ result: StepResult, _ iteration: Int) throws {
        if let bad = loss.terms.firstIndex(where: { !$0.isFinite }) {
            throw Divergence(iteration: iteration, term: "\(context.objective.terms[bad].name) loss")
        }
        guard loss.total.isFinite, result.isGradientFinite else {
            throw Divergence(iteration: iteration, term: "gradient")
        }
    }
}

extension MomentFactors {
    /// Those of Adam's next update, which counts as made.
    fileprivate init(_ adam: inout Adam) {
        let factors = adam.nextFactors()
        self.init(
            keepFirst: factors.keep_first, takeFirst: factors.take_first, keepSecond: factors.keep_second,
            takeSecond: factors.take_second, rate: factors.rate, epsilon: factors.epsilon)
    }
}
