import CKernels
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

    private static let name = Mutex<String?>(nil)
    /// The name of the command that this process is; nil where no command has begun (a test), and products are opened here.
    static var command: String? { name.withLock { $0 } }

    /// What an answer begins with.
    enum Outcome { static let (fine, failure) = (0, 1) }
    /// What can be asked for.
    enum Request { static let (array, values) = (0, 1) }

    /// The first line of a command that reads products. In a process that is the reader of another it does not return.
    public static func begin(_ command: String) {
        let arguments = CommandLine.arguments
        if arguments.count == 3, arguments[1] == mark, reader_process_confine() != 0 {
            _ = ReaderMessage.send(greeting, to: STDIN_FILENO)
            serve(arguments[2])
            _exit(0)
        }
        name.withLock { $0 = command }
    }

    /// Answers until nobody asks any more.
    private static func serve(_ path: String) {
        var container: (any ProductContainer)?
        var arrays: [any ProductArray] = []
        answer { message in
            let opened = try openProductHere(path: path)
            container = opened
            arrays = opened.arrays
            AttributeOutline(opened.attributeNames, opened.attribute).put(into: &message)
            message.put(arrays.count)
            for array in arrays { try ArrayOutline(of: array).put(into: &message) }
        }
        guard let container else { return }
        var memory: ReaderMemory?
        while var request = receive() {
            answer { message in
                switch try request.number() {
                case Request.array:
                    let found = container.array(try request.text())
                    message.put(found == nil ? 0 : 1)
                    guard let found else { return }
                    try ArrayOutline(of: found).put(into: &message)
                    arrays.append(found)
                default:
                    let array = arrays[try request.number()]
                    let (start, count) = (try request.lengths(), try request.lengths())
                    let (number, capacity) = (Int32(truncatingIfNeeded: try request.number()), try request.number())
                    if memory?.number != number {
                        memory = nil
                        memory = ReaderMemory(number: number, count: capacity)
                    }
                    guard let values = memory?.values, let total = numberOfCells(count), total <= values.count else {
                        throw IngestError.noReader(path: path, reason: "its memory cannot be shared")
                    }
                    try array.read(
                        start: start, count: count, into: UnsafeMutableBufferPointer(rebasing: values[..<total]))
                }
            }
        }
    }

    private static func answer(_ fill: (inout ReaderMessage) throws -> Void) {
        var message = ReaderMessage()
        message.put(Outcome.fine)
        do {
            try fill(&message)
            guard message.bytes.count <= ReaderMessage.mostBytes else { throw ReaderMessage.Nonsense() }
        } catch {
            let failure = error as? any Failure
            message = ReaderMessage()
            message.put(Outcome.failure)
            message.put((failure?.kind ?? .badData).rawValue)
            message.put(failure?.explanation ?? "a product's header takes more than \(ReaderMessage.mostBytes >> 20) MB")
        }
        // Where the command has gone, so has whoever could be told.
        if !message.send(to: STDIN_FILENO) { _exit(0) }
    }

    /// The next request; nil when the command has closed its end.
    private static func receive() -> ReaderMessage? {
        func bytes(_ count: Int) -> [UInt8]? {
            var bytes = [UInt8](repeating: 0, count: count)
            var received = 0
            while received < count {
                let got = bytes.withUnsafeMutableBytes { read(STDIN_FILENO, $0.baseAddress! + received, count - received) }
                if got < 0, errno == EINTR { continue }
                guard got > 0 else { return nil }
                received += got
            }
            return bytes
        }
        guard let head = bytes(8) else { return nil }
        var size = ReaderMessage(bytes: head)
        return (try? size.number()).flatMap(bytes).map { ReaderMessage(bytes: $0) }
    }
}
