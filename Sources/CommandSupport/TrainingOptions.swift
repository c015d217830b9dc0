import ArgumentParser
import Fields
import Runs

/// What a command uses where a training option is not given, by name; what is left out has the option's own default.
public protocol TrainingDefaults {
    static var values: [String: String] { get }
}

/// The options of a training run on a command line, one for each entry of `ConfigurationOption.all`.
///
/// ArgumentParser finds the options of a group by reflection and decodes each by its name, so a mirror made from the table
/// and a decoder that follows it take the place of properties with `@Option`. Values stay text until all options are known;
/// `validate` has parsed each of them.
public struct TrainingOptions<Defaults: TrainingDefaults>: ParsableArguments, CustomReflectable {
    /// By name.
    public private(set) var given: [String: String] = [:]

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    public init() {}

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        for option in ConfigurationOption.all {
            given[option.name] = try container.decode(
                Option<String?>.self, forKey: Key(stringValue: option.name)
            ).wrappedValue
        }
    }

    public var customMirror: Mirror {
        Mirror(
            self,
            children: ConfigurationOption.all.map { option in
                let help =
                    "\(TrainingOptions.help(option)) (default: \(Defaults.values[option.name] ?? option.defaultText))"
                return (
                    option.name,
                    Option<String?>(name: .customLong(option.name), help: ArgumentHelp(stringLiteral: help))
                )
            })
    }

    private static func help(_ option: ConfigurationOption) -> String {
        option.name == "backend" ? option.help.dropLast() + ": \(Backends.names.joined(separator: ", "))." : option.help
    }

    /// Parses each value that was given, by itself.
    public func validate() throws {
        var scratch = TrainingConfiguration()
        for (name, text) in given.sorted(by: { $0.key < $1.key }) { try scratch.set(name, to: text) }
        try Backends.requireName(scratch.backend)
    }
}

/// Options that were renamed: the old name still works, with a note.
enum FormerNames {
    /// - Parameter arguments: a command line.
    static func replaced(in arguments: [String]) -> [String] {
        arguments.map { argument in
            guard argument.hasPrefix("--") else { return argument }
            let name = argument.dropFirst(2).prefix { $0 != "=" }
            return "--\(current(String(name)))\(argument.dropFirst(2 + name.count))"
        }
    }

    /// The name of today; tells the user where it differs.
    static func current(_ name: String) -> String {
        guard let option = ConfigurationOption.all.first(where: { $0.formerName == name }) else { return name }
        printMessage("note: '\(name)' is now called '\(option.name)'; the next version knows the new name alone")
        return option.name
    }
}
