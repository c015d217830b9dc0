import Fields

/// What can be wrong with an export.
public enum ExportError: Failure {
    case unknownGrid(String, known: [String])
    case badGridList(String)
    case noStore(path: String, run: String)
    case notAPrediction(path: String)
    case unlikeMembers(run: String, String, String)
    case otherStore(store: String, expected: String, found: String)

    public var kind: FailureKind {
        switch self {
        case .unknownGrid, .badGridList, .notAPrediction: .usage
        case .noStore: .missingInput
        case .otherStore, .unlikeMembers: .badData
        }
    }

    public var explanation: String {
        switch self {
        case .unknownGrid(let name, let known):
            "--grid: the store has no grid \(quoted(name)); it has \(known.joined(separator: ", "))"
        case .badGridList(let text):
            "--grid: \(quoted(text)) is not a list of different grids such as velocity,thickness"
        case .noStore(let path, let run):
            "\(path): no such file; the run in \(run) was trained on it under that name, say where it is with --store"
        case .notAPrediction(let path):
            "\(path): exists and is no prediction; it is not replaced, choose another name"
        case .unlikeMembers(let run, let one, let other):
            "\(run): its members are networks of different shapes, \(one) and \(other); a folder was changed, train again with --run DIR"
        case .otherStore(let store, let expected, let found):
            "\(store): has the fingerprint \(found), the run was trained on a store with \(expected); name the right store with --store"
        }
    }
}
