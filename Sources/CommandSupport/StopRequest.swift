import CSystem
import Glibc
import Synchronization

/// The end of a command by a signal: 128 + its number is the exit status, 130 for Ctrl-C and 143 for SIGTERM, as shells have it.
public struct Interrupted: Error {
    public let signal: Int32
    /// What was done before, in a clause.
    public let done: String

    public init(signal: Int32, done: String = "nothing was written") { (self.signal, self.done) = (signal, done) }

    public var status: Int32 { 128 + signal }
}

/// Ctrl-C, SIGTERM, SIGUSR1 (what Slurm sends before the end of a job) and a terminal that is closed ask a command to stop: the CPU
/// at its next tile of points, other work after the step it is in. Installed first thing in a command: a signal without a handler kills.
public enum StopRequest {
    private static let received = Atomic<Int32>(0)

    public static func install() {
        // Accessed here, so that it is initialized before the handler runs.
        received.store(0, ordering: .relaxed)
        var signals = sigset_t()
        sigemptyset(&signals)
        // nohup ignores SIGHUP: then it stays ignored.
        let ignoresHangup = signal(SIGHUP, SIG_IGN).map { unsafeBitCast($0, to: Int.self) == 1 } ?? false
        for number in [SIGINT, SIGTERM, SIGUSR1] + (ignoresHangup ? [] : [SIGHUP]) {
            sigaddset(&signals, number)
            signal(number) { number in
                // A second Ctrl-C ends the command at once.
                if number == SIGINT && StopRequest.received.load(ordering: .relaxed) == SIGINT { end_by_signal(SIGINT) }
                StopRequest.received.store(number, ordering: .relaxed)
            }
        }
        // The parent process may have blocked them, which a child inherits.
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }

    public static var isPending: Bool { received.load(ordering: .relaxed) != 0 }

    /// Throws `Interrupted` after a signal, for commands that cannot be resumed.
    @Sendable public static func check() throws {
        let signal = received.load(ordering: .relaxed)
        if signal != 0 { throw Interrupted(signal: signal) }
    }

    /// Does work of such a command. An error after a signal is attributed to the signal: an interrupted command may see it as a
    /// file that could not be read.
    public static func ending<Result>(_ work: () throws -> Result) throws -> Result {
        do {
            return try work()
        } catch {
            try check()
            throw error
        }
    }
}
