import Fields

/// Exit statuses of sysexits.h, and 3 for a loss that became NaN. A batch script needs no more than these.
public enum ExitStatus: Int32, Sendable {
    case done = 0
    case diverged = 3
    case usage = 64
    case badData = 65
    case missingInput = 66
    /// Held by another process, or not available: EX_UNAVAILABLE.
    case unavailable = 69
    case software = 70
    /// The system gives no process, no memory or no open file: EX_OSERR.
    case system = 71
    case inputOutput = 74
    /// Stopped early with a checkpoint: run again with --resume.
    case resumable = 75

    public init(_ kind: FailureKind) {
        switch kind {
        case .usage: self = .usage
        case .badData: self = .badData
        case .missingInput: self = .missingInput
        case .software: self = .software
        case .inputOutput: self = .inputOutput
        case .heldByAnother, .unavailable: self = .unavailable
        case .diverged: self = .diverged
        case .system: self = .system
        }
    }
}
