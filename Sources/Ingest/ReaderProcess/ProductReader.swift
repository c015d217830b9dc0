import CSystem
import Fields
import Foundation
import NetCDFFiles
import Synchronization

/// The reader of one product: a separate process that opens the file with the libraries and passes its content to the command
/// that started it. HDF5 crashes on some damaged files and continues with a corrupt heap after others; here that does no harm.
public enum ProductReader {
    /// Takes the place of a command's first option.
    static let mark = "--read-product-for-another-process"
    static let greeting = Data("reader 2".utf8)

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
        if arguments.count == 3, arguments[1] == mark, reader_process_confine(arguments[2]) != 0 {
            _ = ReaderMessage.writeAll(greeting, to: STDIN_FILENO)
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
    private let memory = ReaderMemory(descriptor: Int32(reader_process_memory))

    init(path: String) { self.path = path }

    /// Sends the content of the file, then answers requests until the other end closes.
    func run() {
        var opened: (any ProductContainer)?
        answer {
            let container = try openProductHere(path: path)
            arrays = container.arrays
            opened = container
            return .file(
                attributes: NamedAttribute.all(container.attributeNames, container.attribute),
                arrays: try arrays.map { try ArrayOutline(of: $0) }, others: container.others)
        }
        guard let opened else { return }
        while let head = receive(8), let bytes = receive(head.withUnsafeBytes { $0.loadUnaligned(as: Int.self) }) {
            answer {
                switch try ReaderMessage.message(ReaderRequest.self, from: bytes) {
                case .array(let name):
                    guard let found = opened.array(name) else { return .array(nil) }
                    let outline = try ArrayOutline(of: found)
                    arrays.append(found)
                    return .array(outline)
                case .values(let number, let start, let count, let capacity):
                    try read(arrays[number], start, count, capacity)
                    return .values
                }
            }
        }
    }

    private func read(_ array: any ProductArray, _ start: [Int], _ count: [Int], _ capacity: Int) throws {
        guard memory.map(capacity), let total = numberOfCells(count), total <= memory.values.count else {
            throw PlainFailure.noReader(of: path, "no memory can be shared with it")
        }
        try array.read(start: start, count: count, into: UnsafeMutableBufferPointer(rebasing: memory.values[..<total]))
    }

    private func receive(_ count: Int) -> Data? {
        let bytes = try? FileHandle.standardInput.read(upToCount: count)
        return bytes?.count == count ? bytes : nil
    }

    private func answer(_ make: () throws -> ReaderAnswer) {
        var message = Data()
        do {
            message = try ReaderMessage.bytes(of: try make())
            guard message.count <= ReaderMessage.maxBytes else {
                throw PlainFailure("\(path): its header takes more than \(ReaderMessage.maxBytes >> 20) MB")
            }
        } catch {
            let failure = error as? any Failure
            let answer = ReaderAnswer.failure(failure?.kind ?? .badData, failure?.explanation ?? "\(path): \(error)")
            message = (try? ReaderMessage.bytes(of: answer)) ?? Data()
        }
        // Nobody is left to be told when the command is gone.
        if !ReaderMessage.write(message, to: STDIN_FILENO) { _exit(0) }
    }
}
