import Fields
import Glibc
import NetCDFFiles

/// A product that a separate process reads: its content is sent once, values on request. Whatever happens to that
/// process is an error here (`ReaderProcess`).
final class ReaderProduct: ProductContainer {
    let path: String
    private(set) var arrays: [any ProductArray] = []
    let others: [String]
    private let attributes: AttributeOutline
    private let reader: Reader
    /// Arrays in groups, looked up on demand; nil for those that do not exist.
    private var inGroups: [String: ReaderArray?] = [:]
    private var nextNumber: Int

    init(path: String, command: ProductReader.Command) throws {
        self.path = path
        reader = Reader(try ReaderProcess(reading: path, command: command))
        var message = try reader.process.answer()
        do throws(ReaderMessage.Nonsense) {
            attributes = try AttributeOutline(from: &message)
            for number in 0..<(try message.count(of: 48)) {
                arrays.append(ReaderArray(try ArrayOutline(from: &message), number, of: reader, path: path))
            }
            var names: [String] = []
            for _ in 0..<(try message.count(of: 8)) { names.append(try message.text()) }
            others = names
        } catch {
            throw reader.process.nonsense()
        }
        nextNumber = arrays.count
    }

    var attributeNames: [String] { attributes.names }
    func attribute(_ name: String) -> Attribute? { attributes[name] }

    func array(_ name: String) -> (any ProductArray)? {
        if let array = arrays.first(where: { $0.name == name }) { return array }
        guard name.contains("/") else { return nil }
        if let known = inGroups[name] { return known }
        let found = arrayInGroup(name)
        inGroups[name] = found
        return found
    }

    private func arrayInGroup(_ name: String) -> ReaderArray? {
        var request = ReaderMessage()
        request.put(ProductReader.Request.array)
        request.put(name)
        guard var message = try? reader.process.answer(to: request), (try? message.number()) == 1,
            let outline = try? ArrayOutline(from: &message)
        else { return nil }
        defer { nextNumber += 1 }
        return ReaderArray(outline, nextNumber, of: reader, path: path)
    }
}

/// The process of a product and the memory shared with it, alive as long as one of its arrays is in use.
private final class Reader {
    let process: ReaderProcess
    private var memory: ReaderMemory?

    init(_ process: ReaderProcess) { self.process = process }

    /// Copies the values of a hyperslab to `values`.
    func read(_ number: Int, start: [Int], count: [Int], into values: UnsafeMutableBufferPointer<Double>, path: String)
        throws
    {
        guard let address = values.baseAddress, !values.isEmpty else { return }
        if (memory?.values.count ?? 0) < values.count {
            memory = nil
            memory = ReaderMemory(count: values.count)
        }
        guard let shared = memory?.values, let name = memory?.number else {
            throw IngestError.noReader(path: path, reason: String(cString: strerror(errno)))
        }
        var request = ReaderMessage()
        request.put(ProductReader.Request.values)
        request.put(number)
        request.put(start)
        request.put(count)
        request.put(Int(name))
        request.put(shared.count)
        _ = try process.answer(to: request)
        memcpy(address, shared.baseAddress!, values.count * MemoryLayout<Double>.stride)
    }
}

private struct ReaderArray: ProductArray {
    let path: String
    private let outline: ArrayOutline
    private let number: Int
    private let reader: Reader

    init(_ outline: ArrayOutline, _ number: Int, of reader: Reader, path: String) {
        self.outline = outline
        self.number = number
        self.reader = reader
        self.path = path
    }

    var name: String { outline.name }
    var type: VariableType { outline.type }
    var dimensions: [Dimension] { outline.dimensions }
    var chunkLengths: [Int]? { outline.chunkLengths }
    var attributeNames: [String] { outline.attributes.names }
    func attribute(_ name: String) -> Attribute? { outline.attributes[name] }

    func read(start: [Int], count: [Int], into values: UnsafeMutableBufferPointer<Double>) throws {
        try reader.read(number, start: start, count: count, into: values, path: path)
    }
}
