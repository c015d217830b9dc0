import Fields

/// An error of a benchmark.
public enum BenchmarkError: Failure {
    case unknownName(String, String, known: [String])
    case rowFailed(String, status: Int32)
    case rowKilled(String, signal: Int32)
    case badReply(String)
    case cannotStart(reason: String)
    case badReport(path: String, reason: String)
    case notReplaced(path: String, what: String)
    case unreadable(path: String, reason: String)
    case unwritable(path: String, reason: String)
    case diskTooSmall(path: String, needed: Int, free: Int)

    public var kind: FailureKind {
        switch self {
        case .unknownName, .notReplaced: .usage
        case .badReport: .badData
        case .unreadable: .missingInput
        case .unwritable, .diskTooSmall: .inputOutput
        case .rowFailed, .rowKilled, .badReply, .cannotStart: .software
        }
    }

    public var explanation: String {
        switch self {
        case .unknownName(let option, let name, let known):
            "--\(option): unknown value \(quoted(name)); expected one of \(known.joined(separator: ", "))"
        case .rowFailed(let row, let status):
            "\(row): its process ended with status \(status); see its message above"
        case .rowKilled(let row, let signal):
            "\(row): its process was killed by signal \(signal)\(signal == 9 ? ", as the kernel does when memory runs out" : ""); use fewer --points"
        case .badReply(let row): "\(row): its process returned no result"
        case .cannotStart(let reason): "cannot start a process for a row: \(reason)"
        case .badReport(let path, let reason):
            "\(path): not a report of pinn-bench (\(reason)); give a file written by 'pinn-bench --save'"
        case .notReplaced(let path, let what):
            "\(path): \(what), so it is not replaced; choose another name with --save"
        case .unreadable(let path, let reason): "\(path): cannot read the report: \(reason)"
        case .unwritable(let path, let reason): "\(path): cannot write: \(reason); choose another path"
        case .diskTooSmall(let path, let needed, let free):
            "\(path): the streamed store needs \(needed / 1_000_000) MB, the disk has \(free / 1_000_000) MB left; choose another folder with --scratch, or fewer --stream-points"
        }
    }
}
