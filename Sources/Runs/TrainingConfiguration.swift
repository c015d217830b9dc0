import Fields
import Networks
import Objective
import Optimizers
import Physics

/// Everything that decides what a run computes: options and configuration, parsed and checked once. It is written
/// beside the result and into every checkpoint (PlanOptions.swift).
public struct TrainingConfiguration: Sendable, Equatable {
    /// Path of the store, as given.
    public var store = "pinn-store.nc"
    public var physics = "shallow-shelf"
    /// Hidden layers and their width, "8x128"; "6x40+6x40" for two networks.
    public var network = "8x128"
    /// Subdomains with networks of their own, along y and x, "2x2".
    public var tiles = "1x1"
    /// Standard deviation of the Fourier features' frequencies, or "none"; "none+8" for two networks.
    public var fourier = "none"
    /// One optimizer, or several one after the other (OptimizerPhases).
    public var optimizer = Adam.name
    public var stream = StreamConfiguration()
    public var sampling = SamplingConfiguration()
    public var seed: UInt64 = 0
    /// Networks that are trained one after the other and differ in their seed alone (Ensemble.swift).
    public var ensemble = 1
    public var resampling = Resampling.none
    public var learningRate = LearningRateSchedule()
    public var weights = LossWeights()
    public var balance = ReweightingMethod.none
    /// [m s⁻²]
    public var gravity = Constants().gravity
    /// [kg m⁻³]
    public var iceDensity = Constants().iceDensity
    /// [kg m⁻³]
    public var seaWaterDensity = Constants().seaWaterDensity
    /// [Pa s^(1/3)]
    public var hardness = Constants().hardness
    public var slidingExponent = Constants().slidingExponent
    /// The total of a run, over all of its resumptions.
    public var iterations = 0
    /// Whether it may end before.
    public var stop = StoppingRule.total

    public init() {}

    public var constants: Constants {
        var constants = Constants()
        constants.gravity = gravity
        constants.iceDensity = iceDensity
        constants.seaWaterDensity = seaWaterDensity
        constants.hardness = hardness
        constants.slidingExponent = slidingExponent
        return constants
    }

    public func model() throws -> PhysicalModel {
        guard let model = EquationCatalog.model(named: physics) else {
            throw OptionError.unknownName("physics", physics, known: EquationCatalog.models.map(\.name))
        }
        return model
    }

    /// The networks' shapes for the unknowns of the physics: one for all of them, or one for what is observed and one for
    /// what is inferred.
    public func networks() throws -> NetworkGroup {
        let shapes = network.split(separator: "+", omittingEmptySubsequences: false).map { shape in
            shape.split(separator: "x", omittingEmptySubsequences: false).compactMap { Int($0) }
        }
        let model = try model()
        let outputs = shapes.count == 1 ? [model.unknowns.count] : [model.observed.count, model.inferred.count]
        guard shapes.count <= 2,
            shapes.allSatisfy({ $0.count == 2 && (1...64).contains($0[0]) && (1...4096).contains($0[1]) })
        else {
            throw OptionError.badValue(
                "network", network,
                expected:
                    "LAYERSxWIDTH, for example 8x128, or two of them, for example 6x40+6x40: one for what is observed, one for what is inferred; at most 64 layers of width 4096"
            )
        }
        let deviations = try fourierDeviations(networks: shapes.count)
        return NetworkGroup(
            shapes.indices.map { number in
                let width = shapes[number][1]
                // As many features as the layers are wide.
                let features = deviations[number].map {
                    FourierFeatures(
                        count: max(1, width / 2), deviation: $0, seed: mixed(mixed(seed, 1 << 32), UInt64(number)))
                }
                return Perceptron(
                    hiddenLayers: shapes[number][0], width: width, outputs: outputs[number], fourier: features)
            }, try decomposition())
    }

    /// For each network; one that is given holds for all.
    private func fourierDeviations(networks: Int) throws -> [Double?] {
        let words = fourier.split(separator: "+", omittingEmptySubsequences: false)
        let deviations = words.map { $0 == "none" ? nil : Double($0) ?? .nan }
        guard words.count == 1 || words.count == networks,
            deviations.allSatisfy({ $0.map { $0 > 0 && $0 <= 1000 } ?? true })
        else {
            throw OptionError.badValue(
                "fourier", fourier,
                expected:
                    "none, or the standard deviation of the frequencies, above 0 and at most 1000, for example 4; or one for each network, for example none+8"
            )
        }
        return words.count == networks ? deviations : [Double?](repeating: deviations[0], count: networks)
    }

    private func decomposition() throws -> Decomposition {
        let counts = tiles.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
        guard counts.count == 2, counts.allSatisfy({ (1...64).contains($0) }) else {
            throw OptionError.badValue(
                "tiles", tiles, expected: "ROWSxCOLUMNS, for example 2x2, at most 64 of each")
        }
        return Decomposition(rows: counts[0], columns: counts[1])
    }

    public func phases() throws -> OptimizerPhases { try OptimizerPhases(parsing: optimizer) }

    private func optimizerType(at iteration: Int) throws -> any Optimizer.Type {
        let name = try phases().phase(at: iteration).optimizer
        guard let type = OptimizerCatalog.optimizer(named: name) else {
            throw OptionError.unknownName("optimizer", name, known: OptimizerCatalog.all.map { $0.name })
        }
        return type
    }

    /// The optimizer of an iteration's phase, as it is at the beginning of the phase.
    public func makeOptimizer(at iteration: Int = 0, parameterCount: Int, threads: Int = 1) throws -> any Optimizer {
        var options = try optimizerOptions(at: iteration)
        options.threads = threads
        return try optimizerType(at: iteration).init(parameterCount: parameterCount, options: options)
    }

    private func optimizerOptions(at iteration: Int) throws -> OptimizerOptions {
        var options = OptimizerOptions()
        options.schedule = learningRate
        options.schedule.length = try phases().phase(at: iteration).length ?? 0
        options.matrices = try networks().weightMatrices
        return options
    }

    /// The learning rate of an iteration's step; nil where its method searches for the length of a step.
    public func learningRate(at iteration: Int) throws -> Double? {
        guard try !requiresFixedBatch(at: iteration) else { return nil }
        return try optimizerOptions(at: iteration).schedule.rate(
            iteration: iteration - phases().phase(at: iteration).start)
    }

    /// The largest state of the run's optimizers, of the phases that it reaches.
    public func optimizerStateSize(parameterCount: Int) throws -> StateSize {
        try phases().phases.filter { $0.start < max(iterations, 1) }.map {
            try optimizerType(at: $0.start).maxStateSize(
                parameterCount: parameterCount, options: try optimizerOptions(at: $0.start))
        }.max { $0.bytes < $1.bytes } ?? StateSize(bytes: 0, arrays: 0)
    }

    /// The points of an iteration are those of all iterations of its phase.
    public func requiresFixedBatch(at iteration: Int) throws -> Bool {
        try optimizerType(at: iteration).requiresFixedBatch
    }

    /// Collocation points that are drawn by their residuals at a time, at most: as many as a sample that is kept.
    public var drawnPoints: Int { sampling.method == .uniform ? 0 : stream.sampleChunks * stream.chunk }

    /// Checks what no single option's parser can see.
    public func validate() throws {
        _ = try networks()
        try validateSchedule()
        for (name, value) in [
            ("gravity", gravity), ("ice-density", iceDensity), ("sea-water-density", seaWaterDensity),
            ("hardness", hardness), ("sliding-exponent", slidingExponent),
            ("learning-rate", learningRate.peak),
        ] where !(value.isFinite && value > 0) {
            throw OptionError.badValue(name, "\(value)", expected: "a positive number")
        }
        for (name, value) in [
            ("velocity-weight", weights.velocity), ("thickness-weight", weights.thickness),
            ("surface-weight", weights.surface),
            ("equation-weight", weights.equation),
            ("front-weight", weights.front), ("prior-weight", weights.prior),
        ] where !(value.isFinite && value >= 0) {
            throw OptionError.badValue(name, "\(value)", expected: "a number that is not negative")
        }
        guard TrainingConfiguration.ensembleSizes.contains(ensemble) else {
            throw OptionError.badValue("ensemble", "\(ensemble)", expected: "a number of members from 1 to 1000")
        }
        guard iceDensity < seaWaterDensity else {
            throw OptionError.badValue(
                "ice-density", "\(iceDensity)", expected: "less than the density of sea water, \(seaWaterDensity)")
        }
    }
}

extension TrainingConfiguration {
    /// A cosine ends with its phase, whose length is part of the configuration: the run's total may grow when it is resumed.
    private func validateSchedule() throws {
        let phases = try phases().phases
        // Methods that keep their sample search for the length of a step.
        if learningRate.decay == .cosine,
            let endless = try phases.first(where: { try $0.length == nil && !requiresFixedBatch(at: $0.start) })
        {
            throw OptionError.badValue(
                "schedule", learningRate.decay.rawValue,
                expected: "possible without an end: say how long, as in --optimizer \(endless.optimizer):4000")
        }
        if learningRate.decay != .exponential, learningRate.halfLife != LearningRateSchedule().halfLife {
            throw OptionError.badValue(
                "half-life", "\(learningRate.halfLife)",
                expected:
                    "used by --schedule \(learningRate.decay.rawValue), only by exponential; leave one of them out")
        }
    }
}

/// What can be wrong with a configuration.
public enum OptionError: Failure {
    case unknownName(String, String, known: [String])
    case badValue(String, String, expected: String)
    case unknownOption(String, path: String)
    case otherIce(physics: String, needs: IceMask, store: String, holds: IceMask)
    case alreadyBeyond(iterations: Int, done: Int, run: String)
    case changedOnResume(option: String, asked: String, saved: String, run: String)

    public var kind: FailureKind { .usage }

    public var explanation: String {
        switch self {
        case .unknownOption(let name, let path):
            "\(path): unknown option \(quoted(name)); the plan was written by another version"
        case .otherIce(let physics, let needs, let store, let holds):
            "--physics \(physics) is for \(needs.name), \(store) holds \(holds.name); make a store with pinn-ingest --mask \(needs.adjective), or choose other physics"
        case .unknownName(let option, let name, let known):
            "--\(option): no \(quoted(name)); known: \(known.joined(separator: ", "))"
        case .badValue(let option, let value, let expected):
            "--\(option): \(quoted(value)) is not \(expected)"
        case .alreadyBeyond(let iterations, let done, let run):
            "--iterations \(iterations): the run in \(run) has made \(done) iterations already; --iterations is the total, give more"
        case .changedOnResume(let option, let asked, let saved, let run):
            "--\(option) \(asked): the run in \(run) was made with \(saved); leave the option out to resume it, or start a new run with --run DIR"
        }
    }
}
