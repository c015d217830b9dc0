import ArgumentParser
import Fields

/// Options that every command has.
public struct CommonOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "TOML file with options of this command under their own names; the command line wins.", valueName: "file"))
    public var config: String?

    public init() {}
}

/// Count of points or iterations that may be written "1e8" or "100_000".
public struct Count: ExpressibleByArgument, Sendable {
    public let value: Int

    public init(_ value: Int) { self.value = value }

    public init?(argument: String) {
        guard let whole = wholeNumber(argument) else { return nil }
        value = whole
    }

    public var defaultValueDescription: String { String(value) }
}

extension ReportFormat: ExpressibleByArgument {}
