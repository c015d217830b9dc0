import Compute
import Fields
import Objective
import Optimizers
import Physics
import TOMLKit

/// An option of a training run. `all` is the one place that lists them: the command lines of pinn-train and pinn-plan with
/// their help, plan.toml, `--config`, checkpoints, validation, the plan that is printed and the comparison on resume follow
/// from it. A new option is a property of `TrainingConfiguration` and an entry here.
public struct ConfigurationOption: Sendable {
    /// On the command line (after two dashes) and in TOML.
    public let name: String
    /// The name in the version before; still accepted.
    public let formerName: String?
    public let help: String
    /// What the help says of the default.
    public let defaultText: String
    /// Whether a resumed run may be given another value.
    public let mayChangeOnResume: Bool
    /// Whether TOML writes it as a number.
    private let isNumber: Bool
    /// The value in a configuration, so that `parse` restores it.
    public let text: @Sendable (TrainingConfiguration) -> String
    /// Sets the value; throws `OptionError` where the text is none.
    public let parse: @Sendable (String, inout TrainingConfiguration) throws -> Void

    public static let all: [ConfigurationOption] = [
        .init("store", \.store, "The point store, as an option for TOML files.", mayChange: true),
        .init(
            "stream", \.stream,
            "Points of an iteration: chunk=N collocation points, data=N observations of velocity and of thickness each, front=N, sample=N collocation points for optimizers that need a fixed batch.",
            default:
                "\(TrainingConfiguration.sampledStream), where the observations have no noise \(TrainingConfiguration.noiselessStream), without lm \(TrainingConfiguration.defaultStream); where chunk is given, data and front follow it"
        ),
        .init(
            "sampling", \.sampling,
            "Collocation points: uniform, or drawn by their residuals: rad (rad:k=1,c=1,every=500,candidates=4), r3 (r3:every=500)."
        ),
        .init(
            "iterations", \.iterations, 1...maxCount, "Iterations in total, over all resumptions.", mayChange: true,
            default:
                "those that --optimizer names; else \(TrainingConfiguration.sampledIterations) of lm, and of others as many as visit 1e7 collocation points, from 1000 to 10000"
        ),
        .init(
            "stop", \.stop,
            "When to end: total, with the last iteration; flat, before it, where a method with a fixed batch has lowered the loss in the last \(PlateauCriterion.window) iterations by no more than fitting noise does.",
            mayChange: true, default: "flat; with --iterations total"),
        .init(
            "optimizer", \.phases,
            "How the weights are updated: \(OptimizerCatalog.all.map { $0.name }.joined(separator: ", ")); or one after the other, each for a number of iterations: adam:2000,lbfgs:2000.",
            default:
                "\(TrainingConfiguration.defaultPhases), where the observations have no noise \(TrainingConfiguration.noiselessPhases); with --stream, or networks of more than 12,000 weights, \(LevenbergMarquardt.name)"
        ),
        .init(
            "network", \.network.shapes,
            "Hidden layers and their width; 6x40+6x40: one network for what is observed (u, v, h), one for what is inferred (mu).",
            default: "\(TrainingConfiguration.defaultShapes); with --stream \(NetworkShapes())"),
        .init(
            "subdomains", \.network.subdomains,
            "Rows and columns of overlapping subdomains of the shelf's bounding box, each with networks of its own: for features that are sharper than one network resolves.",
            formerName: "tiles"),
        .init(
            "fourier", \.network.fourier,
            "Fourier features in place of x and y: standard deviation of their frequencies, in radians where the shelf (or a subdomain) is from -1 to 1; none+8: for mu's network only."
        ),
        .init("physics", \.model, "The equations: \(PhysicalModel.names)."),
        // CommandSupport/Backends.swift knows the names.
        .init("backend", \.backend, "Where to compute.", mayChange: true),
        .init(
            "precision", \.precision,
            "Precision of matrix products, on a GPU or as on one: \(names(Precision.self)).", mayChange: true),
        .init("seed", \.seed, "Seed of the initial weights and of the order of points.", isNumber: true),
        .init(
            "ensemble", \.ensemble, 1...1000,
            "Networks to train one after the other, with seeds that follow --seed: export then writes their mean and standard deviation.",
            mayChange: true),
        .init(
            "resampling", \.resampling,
            "Observations as they are: none; or each with a random weight that follows the seed, so that the spread of an ensemble shows what their errors do: bootstrap.",
            default: "bootstrap for an ensemble, none for one network"),
        .init(
            "noise-correlation", \.noiseCorrelation,
            "Length in metres over which errors of observations are correlated, as exp(-d^2/2l^2), for standard deviations; auto: as residuals of neighbouring cells tell, which see only what is much shorter than what the networks resolve.",
            mayChange: true),
        .init(
            "schedule", \.learningRate.decay,
            "How the learning rate falls: \(names(LearningRateSchedule.Decay.self)); a cosine over its phase, to a hundredth."
        ),
        .init("learning-rate", \.learningRate.peak, positive, "Learning rate after the warm-up."),
        .init("warm-up", \.learningRate.warmUp, 0...maxCount, "Iterations of rising learning rate."),
        .init(
            "half-life", \.learningRate.halfLife, 0...maxCount,
            "Iterations in which the learning rate halves; 0: never."),
        .init("velocity-weight", \.weights.velocity, notNegative, "Weight of the velocity misfit."),
        .init("thickness-weight", \.weights.thickness, notNegative, "Weight of the thickness misfit."),
        .init("surface-weight", \.weights.surface, notNegative, "Weight of the surface elevation misfit."),
        .init("equation-weight", \.weights.equation, notNegative, "Weight of the equations."),
        .init("front-weight", \.weights.front, notNegative, "Weight of the calving-front stress."),
        .init(
            "balance", \.balance,
            "Balance of the terms: none, by their weights alone; gradient, by the norms of their gradients."),
        .init(
            "prior-weight", \.weights.prior, notNegative,
            "Weight of what the physics prefers where data and equations leave it open, relative to the loss of all other terms."
        ),
        .init(
            "weight-decay", \.weights.decay, notNegative,
            "Penalty on the networks' squared weights, for methods with a fixed batch (lbfgs and ssbroyden; others take no notice of it): the prior that they are normally distributed with a variance of 1 over this. It counts as much as the data's noise lets it.",
            default: NumberText.plain(TrainingConfiguration.defaultWeightDecay)),
        .init("gravity", \.constants.gravity, 0.01...100, "Gravity [m s-2]."),
        .init("ice-density", \.constants.iceDensity, 100...2000, "Density of ice [kg m-3]."),
        .init("sea-water-density", \.constants.seaWaterDensity, 100...2000, "Density of sea water [kg m-3]."),
        .init(
            "hardness", \.constants.hardness, 1e4...1e12,
            "Hardness of ice where the viscosity is not inferred [Pa s^(1/3)]."),
        .init("sliding-exponent", \.constants.slidingExponent, 0.01...100, "m in the basal drag C^2 |u|^(m-1) u."),
    ]

    /// The option of a name, present or former.
    public static func named(_ name: String) -> ConfigurationOption? {
        all.first { $0.name == name || $0.formerName == name }
    }

    /// A line of TOML.
    func toml(_ configuration: TrainingConfiguration) -> String {
        let text = text(configuration)
        // TOML's integers end at 2^63.
        if isNumber, Int(text) != nil || text.contains(where: { ".e".contains($0) }) { return "\(name) = \(text)" }
        return TOMLTable([name: text]).convert(to: .toml, options: .allowUnicodeStrings)
    }
}

// MARK: kinds of values

/// A value that an option can have.
public protocol OptionValue: Sendable, CustomStringConvertible {
    /// What a text must be.
    static var expected: String { get }
    /// nil where the text is no such value.
    init?(parsing text: String)
    /// What `init(parsing:)` makes the same value of.
    var description: String { get }
}

private let maxCount = OptimizerPhases.maxIterations
private let positive = Double.leastNonzeroMagnitude...Double.greatestFiniteMagnitude
private let notNegative = 0...Double.greatestFiniteMagnitude

private func names<Choice: RawRepresentable<String> & CaseIterable>(_ type: Choice.Type) -> String {
    type.allCases.map(\.rawValue).joined(separator: ", ")
}

private typealias Property<Value> = WritableKeyPath<TrainingConfiguration, Value> & Sendable

extension ConfigurationOption {
    private init<Value>(
        _ name: String, _ property: Property<Value>, _ help: String, formerName: String? = nil, mayChange: Bool,
        isNumber: Bool = false, default text: String? = nil, expected: String,
        print: @escaping @Sendable (Value) -> String, parse: @escaping @Sendable (String) -> Value?
    ) {
        self.name = name
        self.formerName = formerName
        self.help = help
        self.mayChangeOnResume = mayChange
        self.isNumber = isNumber
        defaultText = text ?? print(TrainingConfiguration()[keyPath: property])
        self.text = { print($0[keyPath: property]) }
        self.parse = { text, configuration in
            guard let value = parse(text) else { throw OptionError.badValue(name, text, expected: expected) }
            configuration[keyPath: property] = value
        }
    }

    private init<Value: OptionValue>(
        _ name: String, _ property: Property<Value>, _ help: String, formerName: String? = nil,
        mayChange: Bool = false, default text: String? = nil
    ) {
        self.init(
            name, property, help, formerName: formerName, mayChange: mayChange, default: text, expected: Value.expected,
            print: { $0.description }, parse: { Value(parsing: $0) })
    }

    /// One of a few words.
    private init<Choice: RawRepresentable<String> & CaseIterable & Sendable>(
        _ name: String, _ property: Property<Choice>, _ help: String, mayChange: Bool = false,
        default text: String? = nil
    ) {
        self.init(
            name, property, help, mayChange: mayChange, default: text, expected: "one of \(names(Choice.self))",
            print: { $0.rawValue }, parse: { Choice(rawValue: $0) })
    }

    private init<Value: LosslessStringConvertible & Sendable>(
        _ name: String, _ property: Property<Value>, _ help: String, mayChange: Bool = false, isNumber: Bool = false
    ) {
        self.init(
            name, property, help, mayChange: mayChange, isNumber: isNumber,
            expected: "a whole number from 0 to 2^64 - 1", print: { $0.description }, parse: { Value($0) })
    }

    private static func expected(_ range: ClosedRange<Double>) -> String {
        switch range {
        case positive: "a positive number"
        case notNegative: "a number of at least 0"
        default: "a number from \(NumberText.plain(range.lowerBound)) to \(NumberText.plain(range.upperBound))"
        }
    }

    private init(
        _ name: String, _ property: Property<Double>, _ range: ClosedRange<Double>, _ help: String,
        default text: String? = nil
    ) {
        self.init(
            name, property, help, mayChange: false, isNumber: true, default: text,
            expected: ConfigurationOption.expected(range),
            print: { $0.description }, parse: { Double($0).flatMap { range.contains($0) ? $0 : nil } })
    }

    private init(
        _ name: String, _ property: Property<Int>, _ range: ClosedRange<Int>, _ help: String, mayChange: Bool = false,
        default text: String? = nil
    ) {
        self.init(
            name, property, help, mayChange: mayChange, isNumber: true, default: text,
            expected: "a whole number from \(range.lowerBound) to \(NumberText.plain(Double(range.upperBound)))",
            print: { $0.description },
            parse: { ($0 == "0" ? 0 : wholeNumber($0)).flatMap { range.contains($0) ? $0 : nil } })
    }
}

extension PhysicalModel: OptionValue, Equatable {
    static let names = EquationCatalog.models.map(\.name).joined(separator: ", ")
    public static let expected = "one of \(names)"

    public init?(parsing text: String) {
        guard let model = EquationCatalog.model(named: text) else { return nil }
        self = model
    }

    public var description: String { name }
    public static func == (one: PhysicalModel, other: PhysicalModel) -> Bool { one.name == other.name }
}

// MARK: TOML

/// The text of a scalar; nil for anything else.
public func scalarText(_ value: any TOMLValueConvertible) -> String? {
    value.string ?? value.int.map { "\($0)" } ?? value.double.map { "\($0)" }
}

extension TrainingConfiguration {
    /// Sets an option by its name.
    public mutating func set(_ name: String, to text: String) throws {
        guard let option = ConfigurationOption.named(name) else {
            throw OptionError.unknownOption(name, path: "the plan")
        }
        try option.parse(text, &self)
    }

    /// As TOML, in the order of the table.
    public var toml: String { ConfigurationOption.all.map { "\($0.toml(self))\n" }.joined() }

    /// Reads and checks what `toml` wrote.
    public init(toml: String) throws {
        self.init()
        guard TOMLFault(in: toml) == nil else { throw OptionError.unknownOption("[", path: "the plan") }
        for (name, value) in try TOMLTable(string: toml) {
            guard let text = scalarText(value) else { throw OptionError.unknownOption(name, path: "the plan") }
            try set(name, to: text)
        }
        try validate()
    }

    /// The first option that a resumed run may not change and in which another configuration differs.
    public func change(from other: TrainingConfiguration) -> (option: String, mine: String, theirs: String)? {
        ConfigurationOption.all.first { !$0.mayChangeOnResume && $0.text(self) != $0.text(other) }.map {
            ($0.name, $0.text(self), $0.text(other))
        }
    }
}
