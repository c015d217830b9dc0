import ArgumentParser
import Fields

/// Options that every command has.
public struct CommonOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "TOML file with options of this command under their own names; the command line wins.", valueName: "file"))
    public var config: String?

    /// Answered by `runCommand`, before anything else could be missing.
    @Flag(help: "Show the version.") public var version = false

    public init() {}
}

/// A count of points or iterations, which may be written "1e8" or "100_000"; the transform of an option.
@Sendable public func count(_ text: String) throws -> Int {
    guard let whole = wholeNumber(text) else { throw ValidationError("it must be a whole number from 1 to 1e12") }
    return whole
}

extension ReportFormat: ExpressibleByArgument {}
