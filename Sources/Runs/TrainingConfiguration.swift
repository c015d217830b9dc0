import Compute
import Fields
import Networks
import Objective
import Optimizers
import Physics
import PointStore

/// Everything that decides what a run computes, parsed and checked once. It is written next to the result and into every
/// checkpoint. `ConfigurationOption.all` names its parts.
public struct TrainingConfiguration: Sendable, Equatable {
    /// Path of the store, as given.
    public var store = "pinn-store.nc"
    public var model = EquationCatalog.models[0]
    public var network = NetworkConfiguration()
    public var phases = OptimizerPhases(Adam.self)
    public var stream = StreamConfiguration()
    public var sampling = SamplingConfiguration()
    /// Name of a device, or "auto".
    public var backend = "auto"
    public var precision = Precision.fp32
    public var seed: UInt64 = 0
    /// Networks that are trained one after the other and differ in their seed alone (Ensemble.swift).
    public var ensemble = 1
    public var resampling = Resampling.none
    public var noiseCorrelation = NoiseCorrelation.measured
    public var learningRate = LearningRateSchedule()
    public var weights = LossWeights()
    public var balance = ReweightingMethod.none
    public var constants = Constants()
    /// The total of a run, over all of its resumptions.
    public var iterations = 1
    /// Whether it may end before.
    public var stop = StoppingRule.total

    public init() {}

    /// The networks for the unknowns of the physics.
    public var networks: NetworkGroup {
        network.networks(observed: model.observed.count, inferred: model.inferred.count, seed: seed)
    }

    /// The loss of a run on a store.
    public func objective(for store: StoreDescription) -> Objective {
        .inversion(of: store, model: model, networks: networks, weights: weights, constants: constants)
    }

    /// The optimizer of an iteration's phase, as it is at the beginning of the phase.
    public func makeOptimizer(at iteration: Int = 0, parameterCount: Int, threads: Int = 1) -> any Optimizer {
        let phase = phases.phase(at: iteration)
        var options = optimizerOptions(of: phase)
        options.threads = threads
        return phase.method.init(parameterCount: parameterCount, options: options)
    }

    private func optimizerOptions(of phase: OptimizerPhases.Phase) -> OptimizerOptions {
        var options = OptimizerOptions()
        options.schedule = schedule(of: phase)
        options.matrices = networks.weightMatrices
        return options
    }

    private func schedule(of phase: OptimizerPhases.Phase) -> LearningRateSchedule {
        var schedule = learningRate
        schedule.length = phase.length ?? 0
        return schedule
    }

    /// The learning rate of an iteration's step; nil where its method searches for the length of a step.
    public func learningRate(at iteration: Int) -> Double? {
        let phase = phases.phase(at: iteration)
        return TrainingConfiguration.hasLearningRate(phase)
            ? schedule(of: phase).rate(iteration: iteration - phase.start) : nil
    }

    private static func hasLearningRate(_ phase: OptimizerPhases.Phase) -> Bool {
        !phase.method.requiresFixedBatch && !(phase.method is any SamplingOptimizer.Type)
    }

    /// The phases that the run's iterations come to.
    public var phasesReached: [OptimizerPhases.Phase] { phases.phases.filter { $0.start < max(iterations, 1) } }

    /// The largest state of the run's optimizers, of the phases that it reaches.
    public func optimizerStateSize(parameterCount: Int) -> StateSize {
        phasesReached.map {
            $0.method.maxStateSize(parameterCount: parameterCount, options: optimizerOptions(of: $0))
        }.max { $0.bytes < $1.bytes } ?? StateSize(bytes: 0, arrays: 0)
    }

    /// Rows that methods of the run draw from an iteration's points; 0 where none does.
    public var sampledRows: Int {
        phasesReached.compactMap { ($0.method as? any SamplingOptimizer.Type)?.rows }.max() ?? 0
    }

    /// Whether the points of an iteration are those of all iterations of its phase.
    public func requiresFixedBatch(at iteration: Int) -> Bool {
        phases.phase(at: iteration).method.requiresFixedBatch
    }

    /// Most collocation points that are drawn by their residuals at a time: as many as a fixed batch has.
    public var resampledPoints: Int { sampling.method == .uniform ? 0 : stream.sampleChunks * stream.chunk }

    /// With subdomains: each of them has networks as large as `--network` allows. What is computed from it stays below 2^63.
    private static let maxParameterCount = 100_000_000_000

    private func requireFeasibleSize() throws {
        let weights = networks.parameterCount
        guard weights <= TrainingConfiguration.maxParameterCount else {
            throw OptionError.badValue(
                "network", "\(network.shapes)",
                expected: "of at most 1e11 weights, but of \(weights) with --subdomains \(network.subdomains)")
        }
        for phase in phases.phases where weights > phase.method.maxParameterCount {
            throw OptionError.badValue(
                "optimizer", "\(phases)",
                expected:
                    "possible with \(weights) weights: \(phase.name) is for \(phase.method.maxParameterCount) at most; choose another, or a smaller --network"
            )
        }
    }

    /// Checks what the parser of no single option can see.
    public func validate() throws {
        guard [1, network.shapes.shapes.count].contains(network.fourier.deviations.count) else {
            throw OptionError.badValue(
                "fourier", "\(network.fourier)", expected: FourierDeviations.expected)
        }
        try requireFeasibleSize()
        guard constants.iceDensity < constants.seaWaterDensity else {
            throw OptionError.badValue(
                "ice-density", "\(constants.iceDensity)",
                expected: "less than the density of sea water, \(constants.seaWaterDensity)")
        }
        // A cosine ends with its phase, whose length is part of the configuration: the run's total may grow when it is
        // resumed. Other methods search for the length of a step.
        if learningRate.decay == .cosine,
            let endless = phases.phases.first(where: { $0.length == nil && TrainingConfiguration.hasLearningRate($0) })
        {
            throw OptionError.badValue(
                "schedule", learningRate.decay.rawValue,
                expected: "possible without an end: say how long, as in --optimizer \(endless.name):4000")
        }
        if learningRate.decay != .exponential, learningRate.halfLife != LearningRateSchedule().halfLife {
            throw OptionError.badValue(
                "half-life", "\(learningRate.halfLife)",
                expected:
                    "used by --schedule \(learningRate.decay.rawValue), only by exponential; leave one of them out")
        }
    }
}
