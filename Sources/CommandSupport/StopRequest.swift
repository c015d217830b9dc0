import CSystem
import Glibc
import Synchronization

/// The end of a command by a signal: 128 + its number is the exit status, 130 for Ctrl-C and 143 for SIGTERM, as shells have it.
public struct Interrupted: Error {
    public let signal: Int32
    public var status: Int32 { 128 + signal }
}

/// Ctrl-C, SIGTERM, SIGUSR1 (what Slurm sends before the end of a job) and a terminal that is closed ask a command to stop after
/// the step it is in. Installed first thing in a command: a signal without a handler kills.
public enum StopRequest {
    private static let received = Atomic<Int32>(0)

    public static func install() {
        // Touched here, so that the handler finds it initialised.
        received.store(0, ordering: .relaxed)
        var signals = sigset_t()
        sigemptyset(&signals)
        // nohup ignores the last one, and means it.
        let ignoresHangup = signal(SIGHUP, SIG_IGN).map { unsafeBitCast($0, to: Int.self) == 1 } ?? false
        for number in [SIGINT, SIGTERM, SIGUSR1] + (ignoresHangup ? [] : [SIGHUP]) {
            sigaddset(&signals, number)
            signal(number) { number in
                // A second Ctrl-C is meant.
                if number == SIGINT && StopRequest.received.load(ordering: .relaxed) == SIGINT { end_by_signal(SIGINT) }
                StopRequest.received.store(number, ordering: .relaxed)
            }
        }
        // Whoever starts the command may have blocked them, and a child inherits that.
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }

    public static var isPending: Bool { received.load(ordering: .relaxed) != 0 }

    /// Throws `Interrupted` where a signal has come, for commands that have nothing to go on from.
    @Sendable public static func check() throws {
        let signal = received.load(ordering: .relaxed)
        if signal != 0 { throw Interrupted(signal: signal) }
    }

    /// Does work of such a command. What goes wrong once a signal has come is its doing: whoever is asked to end may be told
    /// so by a file that could not be read.
    public static func ending<Result>(_ work: () throws -> Result) throws -> Result {
        do {
            return try work()
        } catch {
            try check()
            throw error
        }
    }
}
