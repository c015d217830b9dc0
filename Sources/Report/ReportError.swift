import Fields

/// What can be wrong with a report.
public enum ReportError: Failure {
    case notAReport(path: String)
    case notAMap(path: String)
    case noFolder(path: String, reason: String)
    case noIce(store: String)

    public var kind: FailureKind {
        switch self {
        case .notAReport, .notAMap: .usage
        case .noFolder: .inputOutput
        case .noIce: .badData
        }
    }

    public var explanation: String {
        switch self {
        case .notAReport(let path):
            "\(path): exists and is no report; it is not replaced, choose another name"
        case .notAMap(let path):
            "--png: \(path) exists and is no map of pinn-report; it is not replaced, choose another folder"
        case .noFolder(let path, let reason):
            "--png: \(path) cannot be made a folder: \(reason); choose another name"
        case .noIce(let store):
            "\(store): no grid of it has ice to be drawn; make it again with pinn-ingest"
        }
    }
}
