/// The kind of an error; CommandSupport maps it to an exit status of sysexits.h.
public enum FailureKind: Int, Codable, Sendable {
    /// Options contradict each other or the data.
    case usage
    /// The content of a file is wrong.
    case badData
    /// A file does not exist.
    case missingInput
    /// A bug in this program.
    case software
    /// Disk full, no permission, read and write errors.
    case inputOutput
    /// Another process holds a lock.
    case heldByAnother
    /// A requested device or a library is missing.
    case unavailable
    /// The loss became NaN or infinite.
    case diverged
    /// The system refuses a process, memory or an open file.
    case system
}

/// An error that a user can act on, with the evidence (path, variable, found, expected); `explanation` is the line that is printed,
/// which ends with what to do.
public protocol Failure: Error, CustomStringConvertible {
    var kind: FailureKind { get }
    var explanation: String { get }
}

extension Failure {
    public var description: String { explanation }
}

/// A failure that is told in words where it is found.
public struct PlainFailure: Failure {
    public let kind: FailureKind
    public let explanation: String

    public init(_ kind: FailureKind, _ explanation: String) {
        self.kind = kind
        self.explanation = explanation
    }

    /// For wrong content of a file.
    public init(_ explanation: String) { self.init(.badData, explanation) }
}

/// Text from a file, in quotation marks, safe to print and truncated.
public func quoted(_ text: String) -> String {
    let start = String(String.UnicodeScalarView(text.unicodeScalars.prefix(120)))
    return "'\(printable(start))\(text.unicodeScalars.count > 120 ? "…" : "")'"
}

/// A line with a path or the content of a file, safe for a terminal: control characters and escapes become spaces.
public func printable(_ line: String) -> String {
    var shown = String.UnicodeScalarView()
    for scalar in line.unicodeScalars {
        shown.append(scalar.properties.generalCategory == .control ? " " : scalar)
    }
    return String(shown)
}
