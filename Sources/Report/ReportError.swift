import Fields

/// An error of reading for, or writing, a report.
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
            "\(path): exists and is not a report, so it is not replaced; choose another name"
        case .notAMap(let path):
            "--png: \(path) exists and is not a map of pinn-report, so it is not replaced; choose another folder"
        case .noFolder(let path, let reason):
            "--png: \(path) cannot make the folder: \(reason); choose another name"
        case .noIce(let store):
            "\(store): none of its grids has ice to draw; run pinn-ingest again"
        }
    }
}
