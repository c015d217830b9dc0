import Fields

/// What can go wrong with a benchmark, with the evidence.
public enum BenchmarkError: Failure {
    case unknownName(String, String, known: [String])
    case rowFailed(String, status: Int32)
    case rowKilled(String, signal: Int32)
    case badReply(String)
    case cannotStart(reason: String)
    case badReport(path: String, reason: String)
    case notReplaced(path: String, what: String)
    case memoryTooSmall(row: String, needed: Int, free: Int, limit: String)
    case unreadable(path: String, reason: String)
    case unwritable(path: String, reason: String)
    case diskTooSmall(path: String, needed: Int, free: Int)

    public var kind: FailureKind {
        switch self {
        case .unknownName, .notReplaced, .memoryTooSmall: .usage
        case .badReport: .badData
        case .unreadable: .missingInput
        case .unwritable, .diskTooSmall: .inputOutput
        case .rowFailed, .rowKilled, .badReply, .cannotStart: .software
        }
    }

    public var explanation: String {
        switch self {
        case .unknownName(let option, let name, let known):
            "--\(option): no \(quoted(name)); known: \(known.joined(separator: ", "))"
        case .rowFailed(let row, let status):
            "\(row): its process ended with status \(status); its own message stands above"
        case .rowKilled(let row, let signal):
            "\(row): its process was ended by signal \(signal)\(signal == 9 ? ", as the kernel does where memory runs out" : ""); ask for fewer --points"
        case .badReply(let row): "\(row): its process gave no result"
        case .cannotStart(let reason): "cannot start a process for a row: \(reason)"
        case .badReport(let path, let reason):
            "\(path): is no report of pinn-bench (\(reason)); name a file that 'pinn-bench --save' wrote"
        case .notReplaced(let path, let what):
            "\(path): \(what); it is not replaced, choose another name with --save"
        case .memoryTooSmall(let row, let needed, let free, let limit):
            "\(row): needs about \(NumberText.bytes(needed)), \(limit) leaves \(NumberText.bytes(free)); ask for fewer points or threads, or a smaller network"
        case .unreadable(let path, let reason): "\(path): cannot read the report: \(reason)"
        case .unwritable(let path, let reason): "\(path): cannot write: \(reason); choose another place"
        case .diskTooSmall(let path, let needed, let free):
            "\(path): the store to be streamed needs \(needed / 1_000_000) MB, the disk has \(free / 1_000_000) MB left; choose another place with --scratch, or fewer --stream-points"
        }
    }
}
