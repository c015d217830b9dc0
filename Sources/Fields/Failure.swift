/// What kind of trouble an error is; CommandSupport turns it into an exit status of sysexits.h.
public enum FailureKind: Int, Sendable {
    /// Options that contradict each other or the data.
    case usage
    /// A file that was read, but cannot be what it should be.
    case badData
    /// A file that is not there.
    case missingInput
    /// A mistake of this program.
    case software
    /// Disk full, permission, read and write errors.
    case inputOutput
    /// Another process holds what is needed.
    case heldByAnother
    /// A device or a library that was asked for is not there.
    case unavailable
    /// The loss became NaN or infinite.
    case diverged
    /// The system gives no process, no memory or no open file.
    case system
}

/// An error that a user can act on. Every target has an enum of its own that holds the evidence (path, variable,
/// found, expected); `explanation` is the one line that is printed, and ends with what to do.
public protocol Failure: Error, CustomStringConvertible {
    var kind: FailureKind { get }
    var explanation: String { get }
}

extension Failure {
    public var description: String { explanation }
}

/// Text from a file, made safe to print, between quotation marks: long text is cut.
public func quoted(_ text: String) -> String {
    let start = String(String.UnicodeScalarView(text.unicodeScalars.prefix(120)))
    return "'\(printable(start))\(text.unicodeScalars.count > 120 ? "…" : "")'"
}

/// A line with what a file holds or a path is, made safe for a terminal: control characters and escapes become spaces.
public func printable(_ line: String) -> String {
    var shown = String.UnicodeScalarView()
    for scalar in line.unicodeScalars {
        shown.append(scalar.properties.generalCategory == .control ? " " : scalar)
    }
    return String(shown)
}
