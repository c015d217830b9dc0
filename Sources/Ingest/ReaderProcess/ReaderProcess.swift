import CSystem
import Fields
import Foundation

/// A second process of this program that reads one product (`ProductReader`); its death is an error. It ends with this object,
/// which lives as long as one of the product's arrays is in use, and with the thread that created it.
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
    /// Shared with the reader.
    private let memory = ReaderMemory()

    init(reading path: String, command: ProductReader.Command) throws {
        self.path = path
        check = command.check
        var info = stat()
        patience = 50 + (stat(path, &info) == 0 ? max(0, Int(info.st_size)) / 20_000_000 : 0)
        var process = pid_t()
        socket = reader_process_start(command.name, ProductReader.mark, path, memory.descriptor, &process)
        self.process = process
        guard socket >= 0 else {
            let reason =
                access("/proc/self/exe", F_OK) == 0
                ? String(cString: strerror(errno)) : "/proc/self/exe is missing; is /proc mounted?"
            let failure = PlainFailure.noReader(of: path, reason)
            ending = failure
            throw failure
        }
        guard try receive(8) == ProductReader.greeting else {
            throw end { _ in .noReader(of: path, "/proc/self/exe is another program") }
        }
        hasBegun = true
    }

    deinit {
        guard ending == nil else { return }
        stop()
    }

    /// The answer to a request, or the first, which comes unasked. A failure in the reader is rethrown here.
    func answer(to request: ReaderRequest? = nil) throws -> ReaderAnswer {
        if let ending { throw ending }
        if let request, !ReaderMessage.write(try ReaderMessage.bytes(of: request), to: socket) { throw death() }
        let count = try receive(8).withUnsafeBytes { $0.loadUnaligned(as: Int.self) }
        guard (1...ReaderMessage.maxBytes).contains(count) else { throw nonsense() }
        let bytes = try receive(count)
        guard let answer = try? ReaderMessage.message(ReaderAnswer.self, from: bytes) else { throw nonsense() }
        guard case .failure(let kind, let text) = answer else { return answer }
        throw PlainFailure(kind, printable(String(String.UnicodeScalarView(text.unicodeScalars.prefix(4000)))))
    }

    /// Copies the values of a hyperslab of an array to `values`.
    func read(_ array: Int, start: [Int], count: [Int], into values: UnsafeMutableBufferPointer<Double>) throws {
        guard let address = values.baseAddress, !values.isEmpty else { return }
        guard values.count <= ReaderMemory.maxCount else {
            return try readParts(of: array, start: start, count: count, into: values)
        }
        guard memory.grow(to: values.count), let shared = memory.values.baseAddress else {
            throw PlainFailure.noReader(of: path, String(cString: strerror(errno)))
        }
        _ = try answer(to: .values(array: array, start: start, count: count, capacity: memory.values.count))
        memcpy(address, shared, values.count * MemoryLayout<Double>.stride)
    }

    /// The same in parts along the first dimension that is longer than one.
    private func readParts(
        of array: Int, start: [Int], count: [Int], into values: UnsafeMutableBufferPointer<Double>
    ) throws {
        guard let dimension = count.firstIndex(where: { $0 > 1 }) else { return }
        let slice = values.count / count[dimension]
        let most = max(1, ReaderMemory.maxCount / slice)
        for first in stride(from: 0, to: count[dimension], by: most) {
            var (start, length) = (start, count)
            start[dimension] += first
            length[dimension] = min(most, count[dimension] - first)
            let place = first * slice..<(first + length[dimension]) * slice
            try read(array, start: start, count: length, into: UnsafeMutableBufferPointer(rebasing: values[place]))
        }
    }

    /// The reader sent an impossible message, so the file has corrupted it.
    func nonsense() -> PlainFailure {
        end { _ in .readerFailed(on: path, "was corrupted by it") }
    }

    private func receive(_ count: Int) throws -> Data {
        var bytes = Data(count: count)
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
                throw stopped(for: PlainFailure.readerFailed(on: path, "took too long"))
            }
            // Counts a second at most: while a command is suspended (Ctrl-Z), so is its reader.
            waited += min(.seconds(1), ContinuousClock.now - start)
            guard waited < .seconds(patience) else {
                throw stopped(for: PlainFailure.readerFailed(on: path, "gave no answer for \(patience) s"))
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
    private func death() -> PlainFailure {
        end { status in
            let (signal, code) = (status & 0x7f, status >> 8 & 0xff)
            if signal == 0, !hasBegun {
                return .noReader(of: path, "it ended at its start with status \(code)")
            }
            let how =
                switch signal {
                case 0: "ended with status \(code)"
                case SIGXCPU: "exceeded its computing time"
                case SIGKILL: "was killed, as the system does when memory runs out"
                default: "died of signal \(signal)"
                }
            return .readerFailed(on: path, how)
        }
    }

    private func end(_ reason: (_ status: Int32) -> PlainFailure) -> PlainFailure {
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
        while waitpid(process, nil, 0) < 0 && errno == EINTR {}
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

extension PlainFailure {
    static func readerFailed(on path: String, _ how: String) -> PlainFailure {
        PlainFailure("\(path): so damaged that the process that reads it \(how); download it again")
    }

    static func noReader(of path: String, _ reason: String) -> PlainFailure {
        PlainFailure(
            .system,
            "\(path): cannot start the process that reads it: \(reason); check the limits of this shell with 'ulimit -a'"
        )
    }
}
