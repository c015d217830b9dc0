import Fields

/// What can be wrong with an export.
public enum ExportError: Failure {
    case unknownGrid(String, known: [String])
    case otherStore(store: String, expected: String, found: String)

    public var kind: FailureKind {
        switch self {
        case .unknownGrid: .usage
        case .otherStore: .badData
        }
    }

    public var explanation: String {
        switch self {
        case .unknownGrid(let name, let known):
            "--grid: the store has no grid \(quoted(name)); it has \(known.joined(separator: ", "))"
        case .otherStore(let store, let expected, let found):
            "\(store): has the fingerprint \(found), the run was trained on a store with \(expected); name the right store with --store"
        }
    }
}
