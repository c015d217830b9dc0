import Fields

/// An error of a benchmark, with the line that is printed.
public struct BenchmarkError: Failure {
    public let kind: FailureKind
    public let explanation: String

    public init(_ kind: FailureKind, _ explanation: String) {
        self.kind = kind
        self.explanation = explanation
    }
}
