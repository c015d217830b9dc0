import CSystem
import Fields
@preconcurrency import Glibc

/// A second process of this program that reads one product (`ProductReader`); its death is an error. It ends with this object,
/// and with the thread that created it.
final class ReaderProcess {
    private let path: String
    private let process: pid_t
    private let socket: Int32
    /// Whether it sent its greeting: a process that ends before has not opened the file.
    private var hasBegun = false
    /// Why it ended.
    private var ending: (any Error)?
    /// Throws when the command was asked to stop.
    private let check: () throws -> Void
    /// Seconds without an answer after which the reader counts as hung: a disk reads at least 20 MB a second, and the smallest
    /// file is rejected within a minute.
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

    /// The answer to a request, without its leading number for success.
    func answer(to request: ReaderMessage) throws -> ReaderMessage {
        if let ending { throw ending }
        guard request.send(to: socket) else { throw death() }
        return try answer()
    }

    /// The next answer. A failure in the reader is rethrown here.
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

    /// The reader sent an impossible message, so the file has corrupted it.
    func nonsense() -> IngestError {
        end { _ in .readerFailed(path: path, how: "was corrupted by it") }
    }

    private func receive(_ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var received = 0
        var waited = Duration.zero
        while received < count {
            let start = ContinuousClock.now
            var watched = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            // A signal may arrive on another thread, or just before the wait begins.
            let isAvailable = poll(&watched, 1, 100) > 0
            do {
                try check()
            } catch {
                throw stopped(for: error)
            }
            if let deadline = ProductReader.deadline, start > deadline, !isAvailable {
                throw stopped(for: IngestError.readerFailed(path: path, how: "took too long"))
            }
            // Counts a second at most: while a command is suspended (Ctrl-Z), so is its reader.
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

    /// Why the reader ended.
    private func death() -> IngestError {
        end { status in
            let (signal, code) = (status & 0x7f, status >> 8 & 0xff)
            if signal == 0, !hasBegun {
                return .noReader(path: path, reason: "it ended at its start with status \(code)")
            }
            let how =
                switch signal {
                case 0: "ended with status \(code)"
                case SIGXCPU: "exceeded its computing time"
                case SIGKILL: "was killed, as the system does when memory runs out"
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

    /// Ends the reader at once: it has nothing to lose.
    private func stop() {
        close(socket)
        kill(process, SIGKILL)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    }

    /// Waits for the end of the process; it may only have closed its socket.
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

/// A failure in the reader, in its own words.
struct ReaderFailure: Failure {
    let kind: FailureKind
    let explanation: String

    init(from message: inout ReaderMessage) throws(ReaderMessage.Nonsense) {
        kind = FailureKind(rawValue: try message.number()) ?? .badData
        explanation = printable(String(String.UnicodeScalarView(try message.text().unicodeScalars.prefix(4000))))
    }
}
