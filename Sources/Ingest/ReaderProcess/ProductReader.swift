import CSystem
import Fields
@preconcurrency import Glibc
import NetCDFFiles
import Synchronization

/// The reader of one product: a separate process that opens the file with the libraries and passes its content to the command
/// that started it. HDF5 crashes on some damaged files and continues with a corrupt heap after others; here that does no harm.
public enum ProductReader {
    /// Takes the place of a command's first option.
    static let mark = "--read-product-for-another-process"
    static let greeting = Array("reader 1".utf8)

    /// The first number of an answer.
    enum Outcome { static let (fine, failure) = (0, 1) }
    /// The first number of a request.
    enum Request { static let (array, values) = (0, 1) }

    struct Command: Sendable {
        let name: String
        /// Throws when the command was asked to stop.
        let check: @Sendable () throws -> Void
    }

    /// The end of waiting for a reader, whatever its file.
    @TaskLocal static var deadline: ContinuousClock.Instant?

    private static let begun = Mutex<Command?>(nil)
    /// The command that this process runs; nil in tests, which open products in their own process.
    static var command: Command? { begun.withLock { $0 } }

    /// Must be the first line of a command that reads products. In a reader process it does not return.
    ///
    /// - Parameters:
    ///   - arguments: of the process, with its name first.
    ///   - check: called while waiting for a reader; by throwing, it stops the waiting.
    public static func begin(
        _ command: String, _ arguments: [String], check: @escaping @Sendable () throws -> Void
    ) {
        if arguments.count == 3, arguments[1] == mark, reader_process_confine() != 0 {
            _ = ReaderMessage.send(greeting, to: STDIN_FILENO)
            ReaderService(path: arguments[2]).run()
            _exit(0)
        }
        begun.withLock { $0 = Command(name: command, check: check) }
    }
}

/// The reader's side.
private final class ReaderService {
    private let path: String
    private var arrays: [any ProductArray] = []
    private var memory: ReaderMemory?

    init(path: String) { self.path = path }

    /// Sends the content of the file, then answers requests until the other end closes.
    func run() {
        var opened: (any ProductContainer)?
        answer { message in
            let container = try openProductHere(path: path)
            AttributeOutline(container.attributeNames, container.attribute).put(into: &message)
            arrays = container.arrays
            message.put(arrays.count)
            for array in arrays { try ArrayOutline(of: array).put(into: &message) }
            message.put(container.others.count)
            for name in container.others { message.put(name) }
            opened = container
        }
        guard let container = opened else { return }
        while var request = ReaderMessage(from: STDIN_FILENO) {
            answer { message in
                if try request.number() == ProductReader.Request.values { return try readValues(&request) }
                let found = container.array(try request.text())
                message.put(found == nil ? 0 : 1)
                guard let found else { return }
                try ArrayOutline(of: found).put(into: &message)
                arrays.append(found)
            }
        }
    }

    private func readValues(_ request: inout ReaderMessage) throws {
        let array = arrays[try request.number()]
        let (start, count) = (try request.lengths(), try request.lengths())
        let (number, capacity) = (Int32(truncatingIfNeeded: try request.number()), try request.number())
        if memory?.number != number {
            memory = nil
            memory = ReaderMemory(number: number, count: capacity)
        }
        guard let values = memory?.values, let total = numberOfCells(count), total <= values.count else {
            throw IngestError.noReader(path: path, reason: "no memory can be shared with it")
        }
        try array.read(start: start, count: count, into: UnsafeMutableBufferPointer(rebasing: values[..<total]))
    }

    private func answer(_ fill: (inout ReaderMessage) throws -> Void) {
        var message = ReaderMessage()
        message.put(ProductReader.Outcome.fine)
        do {
            try fill(&message)
            guard message.bytes.count <= ReaderMessage.maxBytes else { throw ReaderMessage.Nonsense() }
        } catch {
            let failure = error as? any Failure
            message = ReaderMessage()
            message.put(ProductReader.Outcome.failure)
            message.put((failure?.kind ?? .badData).rawValue)
            message.put(
                failure?.explanation ?? "\(path): its header takes more than \(ReaderMessage.maxBytes >> 20) MB")
        }
        // Nobody is left to be told when the command is gone.
        if !message.send(to: STDIN_FILENO) { _exit(0) }
    }
}
