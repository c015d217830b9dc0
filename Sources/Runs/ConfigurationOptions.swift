import TOMLKit

/// The value of an option, as a command line or a TOML file gives it.
public enum OptionValue: Sendable, Equatable {
    case text(String)
    case number(Double)
    case whole(Int)

    /// As TOML and as a message spell it.
    public var spelled: String {
        switch self {
        case .text(let text): "\"\(text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined())\""
        case .number(let number): "\(number)"
        case .whole(let whole): "\(whole)"
        }
    }
}

/// The options of a configuration under the names that the command line and TOML files use: one table for reading, writing and
/// comparing, so that `pinn-train --config pinn-run/plan.toml` repeats a run.
extension TrainingConfiguration {
    struct Option: Sendable {
        let name: String
        let get: @Sendable (TrainingConfiguration) -> OptionValue
        let set: @Sendable (inout TrainingConfiguration, OptionValue) throws -> Void
        /// Whether a resumed run may be given another value.
        var mayChange = false
    }

    static let options: [Option] = [
        text("store", \.store, mayChange: true),
        text("physics", \.physics),
        text("network", \.network),
        text("tiles", \.tiles),
        // A deviation alone is a number in a TOML file.
        Option(
            name: "fourier", get: { .text($0.fourier) },
            set: { configuration, value in
                switch value {
                case .text(let text): configuration.fourier = text
                case .number, .whole: configuration.fourier = value.spelled
                }
            }),
        text("optimizer", \.optimizer),
        Option(
            name: "stream", get: { .text($0.stream.description) },
            set: { configuration, value in
                guard case .text(let text) = value else { throw wrongType("stream", value, "text") }
                configuration.stream = try StreamConfiguration(parsing: text)
            }),
        Option(
            name: "sampling", get: { .text($0.sampling.description) },
            set: { configuration, value in
                guard case .text(let text) = value else { throw wrongType("sampling", value, "text") }
                configuration.sampling = try SamplingConfiguration(parsing: text)
            }),
        Option(
            // A seed above 2^63 has no TOML integer.
            name: "seed", get: { Int(exactly: $0.seed).map { .whole($0) } ?? .text(String($0.seed)) },
            set: { configuration, value in
                switch value {
                case .whole(let whole) where whole >= 0: configuration.seed = UInt64(whole)
                case .text(let text) where UInt64(text) != nil: configuration.seed = UInt64(text) ?? 0
                default: throw wrongType("seed", value, "a whole number that is not negative")
                }
            }),
        whole("ensemble", \.ensemble, mayChange: true),
        choice("resampling", \.resampling),
        choice("schedule", \.learningRate.decay),
        number("learning-rate", \.learningRate.peak),
        whole("warm-up", \.learningRate.warmUp),
        whole("half-life", \.learningRate.halfLife),
        number("velocity-weight", \.weights.velocity),
        number("thickness-weight", \.weights.thickness),
        number("surface-weight", \.weights.surface),
        number("equation-weight", \.weights.equation),
        number("front-weight", \.weights.front),
        choice("balance", \.balance),
        number("prior-weight", \.weights.prior),
        number("gravity", \.gravity),
        number("ice-density", \.iceDensity),
        number("sea-water-density", \.seaWaterDensity),
        number("hardness", \.hardness),
        number("sliding-exponent", \.slidingExponent),
        whole("iterations", \.iterations, mayChange: true),
        choice("stop", \.stop, mayChange: true),
    ]

    /// Sets an option by its name.
    public mutating func set(_ name: String, to value: OptionValue) throws {
        guard let option = TrainingConfiguration.options.first(where: { $0.name == name }) else {
            throw OptionError.unknownOption(name, path: "the plan")
        }
        try option.set(&self, value)
    }

    /// As TOML.
    public var toml: String {
        TrainingConfiguration.options.map { "\($0.name) = \($0.get(self).spelled)\n" }.joined()
    }

    /// Reads what `toml` wrote.
    public init(toml: String) throws {
        self.init()
        for (name, value) in try TOMLTable(string: toml) {
            if let text = value.string {
                try set(name, to: .text(text))
            } else if let whole = value.int {
                try set(name, to: .whole(whole))
            } else if let number = value.double {
                try set(name, to: .number(number))
            } else {
                throw OptionError.unknownOption(name, path: "the plan")
            }
        }
    }

    /// The first option that a resumed run may not change and in which another configuration differs.
    public func change(from other: TrainingConfiguration) -> (option: String, mine: String, theirs: String)? {
        for option in TrainingConfiguration.options where !option.mayChange && option.get(self) != option.get(other) {
            return (option.name, option.get(self).spelled, option.get(other).spelled)
        }
        return nil
    }

    private static func text(
        _ name: String, _ path: WritableKeyPath<TrainingConfiguration, String> & Sendable, mayChange: Bool = false
    )
        -> Option
    {
        Option(
            name: name, get: { .text($0[keyPath: path]) },
            set: { configuration, value in
                guard case .text(let text) = value else { throw wrongType(name, value, "text") }
                configuration[keyPath: path] = text
            }, mayChange: mayChange)
    }

    /// One of a few words.
    private static func choice<Choice: RawRepresentable & CaseIterable & Sendable>(
        _ name: String, _ path: WritableKeyPath<TrainingConfiguration, Choice> & Sendable, mayChange: Bool = false
    ) -> Option where Choice.RawValue == String {
        Option(
            name: name, get: { .text($0[keyPath: path].rawValue) },
            set: { configuration, value in
                guard case .text(let text) = value else { throw wrongType(name, value, "text") }
                guard let chosen = Choice(rawValue: text) else {
                    throw OptionError.unknownName(name, text, known: Choice.allCases.map(\.rawValue))
                }
                configuration[keyPath: path] = chosen
            }, mayChange: mayChange)
    }

    private static func number(_ name: String, _ path: WritableKeyPath<TrainingConfiguration, Double> & Sendable)
        -> Option
    {
        Option(
            name: name, get: { .number($0[keyPath: path]) },
            set: { configuration, value in
                switch value {
                case .number(let number): configuration[keyPath: path] = number
                case .whole(let whole): configuration[keyPath: path] = Double(whole)
                case .text: throw wrongType(name, value, "a number")
                }
            })
    }

    private static func whole(
        _ name: String, _ path: WritableKeyPath<TrainingConfiguration, Int> & Sendable, mayChange: Bool = false
    )
        -> Option
    {
        Option(
            name: name, get: { .whole($0[keyPath: path]) },
            set: { configuration, value in
                guard case .whole(let whole) = value, whole >= 0 else {
                    throw wrongType(name, value, "a whole number that is not negative")
                }
                configuration[keyPath: path] = whole
            }, mayChange: mayChange)
    }

    private static func wrongType(_ name: String, _ value: OptionValue, _ expected: String) -> OptionError {
        .badValue(name, value.spelled, expected: expected)
    }
}
