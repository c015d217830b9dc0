import CSystem
import Fields
@preconcurrency import Glibc
import NetCDFFiles
import Synchronization

/// The reader of one product: a process that opens the file with the libraries and gives what it holds to the command that
/// started it. HDF5 dies of some damaged files and lives on with a spoilt heap after others; here that harms nobody.
public enum ProductReader {
    /// In place of the first option of a command.
    static let mark = "--read-product-for-another-process"
    static let greeting = Array("reader 1".utf8)

    /// What an answer begins with.
    enum Outcome { static let (fine, failure) = (0, 1) }
    /// What can be asked for.
    enum Request { static let (array, values) = (0, 1) }

    struct Command: Sendable {
        let name: String
        /// Throws where the command is asked to end.
        let check: @Sendable () throws -> Void
    }

    /// Where a reader may not be waited for any longer, whatever its file.
    @TaskLocal static var deadline: ContinuousClock.Instant?

    private static let begun = Mutex<Command?>(nil)
    /// The command that this process is; nil where none has begun (a test), and products are opened here.
    static var command: Command? { begun.withLock { $0 } }

    /// The first line of a command that reads products. In a process that is the reader of another it does not return.
    ///
    /// - Parameter check: called while a reader is waited for, and ends that by throwing.
    public static func begin(_ command: String, check: @escaping @Sendable () throws -> Void) {
        let arguments = CommandLine.arguments
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

    /// Tells what the file holds, and answers until nobody asks any more.
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
            throw IngestError.noReader(path: path, reason: "memory cannot be shared with it")
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
        // Where the command has gone, so has whoever could be told.
        if !message.send(to: STDIN_FILENO) { _exit(0) }
    }
}
