import CSystem
import Fields
@preconcurrency import Glibc

/// This program once more, as the reader of one product (`ProductReader`): it is asked, and its death is an error. It lives no
/// longer than this, nor than the thread that made this.
final class ReaderProcess {
    private let path: String
    private let process: pid_t
    private let socket: Int32
    /// Whether it has said that it is one: what ends before that never saw the file.
    private var hasBegun = false
    /// Why it is no more.
    private var ending: (any Error)?
    /// Throws where the command is asked to end.
    private let check: () throws -> Void
    /// Seconds without an answer after which the reader is taken to hang: a disk gives 20 MB in each, and the smallest file
    /// is refused within a minute.
    private let patience: Int

    init(reading path: String, command: ProductReader.Command) throws {
        self.path = path
        check = command.check
        var info = stat()
        patience = 50 + (stat(path, &info) == 0 ? max(0, Int(info.st_size)) / 20_000_000 : 0)
        var process = pid_t()
        socket = reader_process_start(command.name, ProductReader.mark, path, &process)
        self.process = process
        guard socket >= 0 else {
            let failure = IngestError.noReader(path: path, reason: String(cString: strerror(errno)))
            ending = failure
            throw failure
        }
        guard try receive(8) == ProductReader.greeting else {
            throw end { _ in .noReader(path: path, reason: "/proc/self/exe is another program") }
        }
        hasBegun = true
    }

    deinit {
        guard ending == nil else { return }
        stop()
    }

    /// What the reader gives for a request, behind the number that says that it could.
    func answer(to request: ReaderMessage) throws -> ReaderMessage {
        if let ending { throw ending }
        guard request.send(to: socket) else { throw death() }
        return try answer()
    }

    /// The next answer. A failure of the reader's is thrown here as it was there.
    func answer() throws -> ReaderMessage {
        var head = ReaderMessage(bytes: try receive(8))
        do {
            let count = try head.number()
            guard count >= 8, count <= ReaderMessage.maxBytes else { throw ReaderMessage.Nonsense() }
            var message = ReaderMessage(bytes: try receive(count))
            guard try message.number() == ProductReader.Outcome.fine else { throw try ReaderFailure(from: &message) }
            return message
        } catch is ReaderMessage.Nonsense {
            throw nonsense()
        }
    }

    /// The reader said what no reader says: that was the file's doing.
    func nonsense() -> IngestError {
        end { _ in .readerFailed(path: path, how: "was spoilt by it") }
    }

    private func receive(_ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var received = 0
        var waited = Duration.zero
        while received < count {
            let start = ContinuousClock.now
            var watched = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            // A signal may come to another thread, or just before the waiting begins.
            let isAvailable = poll(&watched, 1, 100) > 0
            do {
                try check()
            } catch {
                throw stopped(for: error)
            }
            if let deadline = ProductReader.deadline, start > deadline, !isAvailable {
                throw stopped(for: IngestError.readerFailed(path: path, how: "took too long"))
            }
            // A second at most: while a command is stopped (Ctrl-Z), its reader is as well.
            waited += min(.seconds(1), ContinuousClock.now - start)
            guard waited < .seconds(patience) else {
                throw stopped(for: IngestError.readerFailed(path: path, how: "gave no answer for \(patience) s"))
            }
            guard isAvailable else { continue }
            let got = bytes.withUnsafeMutableBytes { recv(socket, $0.baseAddress! + received, count - received, 0) }
            if got < 0, errno == EINTR { continue }
            guard got > 0 else { throw death() }
            received += got
        }
        return bytes
    }

    /// Why there is no more of it.
    private func death() -> IngestError {
        end { status in
            let (signal, code) = (status & 0x7f, status >> 8 & 0xff)
            if signal == 0, !hasBegun { return .noReader(path: path, reason: "its start ended with status \(code)") }
            let how =
                switch signal {
                case 0: "ended with status \(code)"
                case SIGXCPU: "computed on it without end"
                case SIGKILL: "was killed, which the system does where memory runs out"
                default: "died of signal \(signal)"
                }
            return .readerFailed(path: path, how: how)
        }
    }

    private func end(_ reason: (_ status: Int32) -> IngestError) -> IngestError {
        close(socket)
        let failure = reason(exitStatus())
        ending = failure
        return failure
    }

    private func stopped(for reason: any Error) -> any Error {
        stop()
        ending = reason
        return reason
    }

    /// Without waiting for what it does: it has nothing to lose.
    private func stop() {
        close(socket)
        kill(process, SIGKILL)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    }

    /// It may have closed its end only.
    private func exitStatus() -> Int32 {
        var status: Int32 = 0
        for _ in 0..<1000 {
            let ended = waitpid(process, &status, WNOHANG)
            if ended == process || ended < 0 && errno != EINTR { return status }
            usleep(1000)
        }
        kill(process, SIGKILL)
        while waitpid(process, &status, 0) < 0 && errno == EINTR {}
        return status
    }
}

/// What the reader could not do, in its own words.
struct ReaderFailure: Failure {
    let kind: FailureKind
    let explanation: String

    init(from message: inout ReaderMessage) throws(ReaderMessage.Nonsense) {
        kind = FailureKind(rawValue: try message.number()) ?? .badData
        explanation = printable(String(String.UnicodeScalarView(try message.text().unicodeScalars.prefix(4000))))
    }
}
