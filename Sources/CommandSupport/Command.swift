import ArgumentParser
import Compute
import CSystem
import Fields
@preconcurrency import Glibc
import Logging
import NetCDFFiles
import Synchronization

/// Runs a command to its end: options from the command line and `--config`, one line on stderr for a failure, and
/// the exit status that belongs to it.
public func runCommand<Command: ParsableCommand>(_ type: Command.Type, section: String) -> Never {
    Version.commit = buildCommit
    // A closed pipe (| head) is a write error with a message, not a silent death.
    signal(SIGPIPE, SIG_IGN)
    // So is a file that outgrows the limit of a batch system (ulimit -f).
    signal(SIGXFSZ, SIG_IGN)
    LibraryCrash.installCrashHandler()
    LibraryCrash.installFileCleanup()
    LoggingSystem.bootstrap { _ in StandardErrorLog() }
    AtomicFile.report.withLock {
        $0 = { printMessage("note: removed \($0), which an interrupted process left") }
    }
    do {
        try ProgramArguments.requireText()
        let arguments = FormerNames.replaced(in: Array(ProgramArguments.all.dropFirst()))
        if arguments.contains("--version") {
            try printResult("\(Version.text)\nreader process: \(readerConfinement)")
            exit(ExitStatus.done.rawValue)
        }
        let configuration = try ConfigurationFile.split(arguments, section: section)
        var command: any ParsableCommand
        do {
            command = try Command.parseAsRoot(configuration.map { $0.ofFile + $0.others + $0.flags } ?? arguments)
        } catch {
            // The parser sees one list; where the command line alone is correct, the file is at fault.
            let isFileAtFault = configuration.map { (try? Command.parseAsRoot($0.others)) != nil } ?? false
            refuse(error, Command.self, configuration: isFileAtFault ? configuration?.path : nil)
        }
        for option in configuration?.absent ?? [] {
            requireFlag(option, Command.self, configuration: configuration?.path)
        }
        do { try command.run() } catch is EvaluationStopped { try StopRequest.check() }
        try flushResults()
        leave(.done)
    } catch let failure as any Failure {
        printMessage("error: \(failure.explanation)")
        leave(ExitStatus(failure.kind))
    } catch let stop as StoppedEarly {
        printMessage(stop.message)
        leave(.resumable)
    } catch let interrupted as Interrupted {
        printMessage("interrupted by a signal; \(interrupted.done)")
        leave(interrupted.status)
    } catch {
        if error is ValidationError || Command.exitCode(for: error) == .success { refuse(error, Command.self) }
        printMessage("error: \(error); this is a mistake of the program, please report it")
        leave(.software)
    }
}

/// Thrown by a command that was asked to stop and can be continued.
public struct StoppedEarly: Error {
    public let message: String
    public init(_ message: String) { self.message = message }
}

/// A result, and the end of its line, on stdout. A signal is answered while stdout takes nothing (a pipe whose reader sleeps, a terminal
/// that was stopped), in which a plain print would wait for ever.
public func printResult(_ text: String) throws {
    fflush(stdout)
    var rest = Array("\(text)\n".utf8)[...]
    while !rest.isEmpty {
        var waiting = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
        guard poll(&waiting, 1, 100) > 0 else {
            do { try StopRequest.check() } catch let interrupted as Interrupted {
                throw Interrupted(signal: interrupted.signal, done: "its result was not taken from standard output")
            }
            continue
        }
        // No more than a pipe takes at once where it takes anything.
        let count = rest.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress!, min(4096, $0.count)) }
        if count < 0, errno != EINTR, errno != EAGAIN {
            throw PlainFailure(.inputOutput, "standard output: \(String(cString: strerror(errno)))")
        }
        rest = rest.dropFirst(max(0, count))
    }
}

/// A line for the user on stderr; stdout carries results only.
public func printMessage(_ line: String) {
    Progress.endLine()
    if standardErrorTakes(within: 2000) { fputs("\(printable(line))\n", stderr) }
}

/// Whether stderr takes what is written, now or within some milliseconds: not a terminal that was stopped (Ctrl-S, a broken connection)
/// nor a pipe whose reader sleeps, in which every word would wait for ever and no signal be answered.
func standardErrorTakes(within milliseconds: Int32) -> Bool {
    var waiting = pollfd(fd: 2, events: Int16(POLLOUT), revents: 0)
    // Once is enough: a command has many lines.
    let isTaken = poll(&waiting, 1, isStandardErrorStuck.load(ordering: .relaxed) ? 0 : milliseconds) != 0
    if milliseconds > 0 { isStandardErrorStuck.store(!isTaken, ordering: .relaxed) }
    return isTaken
}

private let isStandardErrorStuck = Atomic(false)

/// What confines the process that reads products, on this kernel.
private var readerConfinement: String {
    let landlock = reader_landlock_version()
    let active =
        (landlock > 0 ? ["Landlock ABI \(landlock)"] : []) + (reader_seccomp_exists() != 0 ? ["seccomp"] : [])
    return active.isEmpty ? "confinement not available" : active.joined(separator: ", ")
}

/// Where stdout is a file, a full disk shows only when the buffer is flushed.
private func flushResults() throws {
    guard fflush(stdout) == 0, ferror(stdout) == 0 else {
        throw PlainFailure(.inputOutput, "standard output: \(String(cString: strerror(errno)))")
    }
}

/// Exits without exit handlers, since libhdf5's can crash after a failed write or close, also where that was made good.
private func leave(_ status: ExitStatus) -> Never { leave(status.rawValue) }

private func leave(_ status: Int32) -> Never {
    fflush(stdout)
    fflush(stderr)
    _exit(status)
}

/// Ends the command with the parser's message: help that was asked for as it is; a mistake in one line that names where help
/// is. (The parser's own report of a mistake takes four to thirty lines.)
///
/// - Parameter configuration: the file that holds the mistake.
private func refuse<Command: ParsableCommand>(
    _ error: any Error, _ type: Command.Type, configuration: String? = nil
) -> Never {
    guard Command.exitCode(for: error) != .success else { Command.exit(withError: error) }
    let message = Command.message(for: error).split(separator: "\n").map { String($0).trimmingBlanks() }
    var line = message.filter { !$0.isEmpty }.joined(separator: " ")
    // The parser takes what begins with a dash for an option, never for a value.
    if line.hasPrefix("Missing value for"),
        let (option, value) = zip(ProgramArguments.all, ProgramArguments.all.dropFirst()).first(where: {
            $0.hasPrefix("--") && line.contains("'\($0) ") && $1.split(separator: ",").allSatisfy { Double($0) != nil }
        })
    {
        line += ": write \(option)=\(value) for a value that begins with a dash"
    }
    if let configuration {
        // In a file, options have no dashes.
        line = "\(configuration): \(line.trimmingPrefix("--").replacing("'--", with: "'"))"
    }
    printMessage("error: \(line); see '\(Command.configuration.commandName ?? "the command") --help'")
    leave(.usage)
}

/// Ends the command where an option that a configuration sets to false is none, or needs a value.
private func requireFlag<Command: ParsableCommand>(_ option: String, _ type: Command.Type, configuration: String?) {
    do { _ = try Command.parseAsRoot([option]) } catch {
        let message = Command.message(for: error)
        if message.contains("Unknown option") || message.contains("Missing value for '\(option)") {
            refuse(error, Command.self, configuration: configuration)
        }
    }
}

/// swift-log to stderr, as plain lines a person reads: notes as they are, warnings marked.
private struct StandardErrorLog: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let mark =
            switch event.level {
            case .trace, .debug, .info, .notice: ""
            case .warning: "warning: "
            case .error, .critical: "error: "
            }
        printMessage("\(mark)\(event.message)")
    }
}
