import Fields
import Networks
import Objective
import Optimizers
import Physics

/// Everything that decides what a run computes: options and configuration, parsed and checked once. It is written
/// beside the result and into every checkpoint (PlanOptions.swift).
public struct Plan: Sendable, Equatable {
    /// Path of the store, as given.
    public var store = "pinn-store.nc"
    public var physics = "shallow-shelf"
    /// Hidden layers and their width, "8x128"; "6x40+6x40" for two networks.
    public var network = "8x128"
    /// One optimizer, or several one after the other (PhasePlan).
    public var optimizer = Adam.name
    public var stream = StreamPlan()
    public var seed: UInt64 = 0
    public var learningRate = LearningRateSchedule()
    public var weights = LossWeights()
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
            throw PlanError.unknownName("physics", physics, known: EquationCatalog.models.map(\.name))
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
            throw PlanError.badValue(
                "network", network,
                expected:
                    "LAYERSxWIDTH, for example 8x128, or two of them, for example 6x40+6x40: one for what is observed, one for what is inferred; at most 64 layers of width 4096"
            )
        }
        return NetworkGroup(
            zip(shapes, outputs).map { Perceptron(hiddenLayers: $0[0], width: $0[1], outputs: $1) })
    }

    public func phases() throws -> PhasePlan { try PhasePlan(parsing: optimizer) }

    private func optimizerType(at iteration: Int) throws -> any Optimizer.Type {
        let name = try phases().phase(at: iteration).optimizer
        guard let type = OptimizerCatalog.optimizer(named: name) else {
            throw PlanError.unknownName("optimizer", name, known: OptimizerCatalog.all.map { $0.name })
        }
        return type
    }

    /// The optimizer of an iteration's phase, as it is at the beginning of the phase.
    public func makeOptimizer(at iteration: Int = 0, parameterCount: Int) throws -> any Optimizer {
        var options = OptimizerOptions()
        options.schedule = learningRate
        return try optimizerType(at: iteration).init(parameterCount: parameterCount, options: options)
    }

    /// The most vectors, as long as the parameters, that the state of an optimizer of the run holds.
    public func optimizerVectors() throws -> Int {
        try phases().phases.map { try optimizerType(at: $0.start).vectorCount() }.max() ?? 0
    }

    /// The points of an iteration are those of all iterations of its phase.
    public func keepsSample(at iteration: Int) throws -> Bool {
        try optimizerType(at: iteration).keepsSample
    }

    /// Checks what no single option's parser can see.
    public func validate() throws {
        _ = try networks()
        _ = try makeOptimizer(parameterCount: 1)
        for (name, value) in [
            ("gravity", gravity), ("ice-density", iceDensity), ("sea-water-density", seaWaterDensity),
            ("hardness", hardness), ("sliding-exponent", slidingExponent),
            ("learning-rate", learningRate.peak),
        ] where !(value.isFinite && value > 0) {
            throw PlanError.badValue(name, "\(value)", expected: "a positive number")
        }
        for (name, value) in [
            ("velocity-weight", weights.velocity), ("thickness-weight", weights.thickness),
            ("surface-weight", weights.surface),
            ("equation-weight", weights.equation),
            ("front-weight", weights.front), ("prior-weight", weights.prior),
        ] where !(value.isFinite && value >= 0) {
            throw PlanError.badValue(name, "\(value)", expected: "a number that is not negative")
        }
        guard iceDensity < seaWaterDensity else {
            throw PlanError.badValue(
                "ice-density", "\(iceDensity)", expected: "less than the density of sea water, \(seaWaterDensity)")
        }
    }
}

/// What can be wrong with a plan.
public enum PlanError: Failure {
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
            "--physics \(physics) is for \(needs.name), \(store) holds \(holds.name); make a store with pinn-ingest --ice \(needs.adjective), or choose other physics"
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
