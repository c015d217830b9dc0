import Fields
import Glibc

/// The system gives fewer threads than the work needs.
struct ThreadsRefused: Failure {
    let purpose: String
    let wanted: Int
    let made: Int
    let reason: Int32
    let remedy: String?

    var kind: FailureKind { .system }
    var explanation: String {
        "the system refuses a thread to \(purpose) (\(made) of \(wanted) made): \(String(cString: strerror(reason))); end other processes, or raise the limit of their number ('ulimit -u', pids.max of the control group)\(remedy.map { ", or \($0)" } ?? "")"
    }
}
