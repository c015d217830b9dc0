import Fields
import Glibc
import NetCDFFiles

/// A product that a separate process reads: its content is sent once, values on request. Whatever happens to that
/// process is an error here (`ReaderProcess`).
final class ReaderProduct: ProductContainer {
    let path: String
    private(set) var arrays: [any ProductArray] = []
    let others: [String]
    private let attributes: [NamedAttribute]
    private let reader: ReaderProcess
    /// Arrays in groups, looked up on demand; nil for those that do not exist.
    private var inGroups: [String: ReaderArray?] = [:]
    private var nextNumber: Int

    init(path: String, command: ProductReader.Command) throws {
        self.path = path
        reader = try ReaderProcess(reading: path, command: command)
        guard case .file(let attributes, let outlines, let others) = try reader.answer(),
            outlines.allSatisfy(\.isPossible)
        else { throw reader.nonsense() }
        (self.attributes, self.others, nextNumber) = (attributes, others, outlines.count)
        for (number, outline) in outlines.enumerated() {
            arrays.append(ReaderArray(path: path, outline: outline, number: number, reader: reader))
        }
    }

    var attributeNames: [String] { attributes.map(\.name) }
    func attribute(_ name: String) -> Attribute? { attributes.first { $0.name == name }?.value }

    func array(_ name: String) -> (any ProductArray)? {
        if let array = arrays.first(where: { $0.name == name }) { return array }
        guard name.contains("/") else { return nil }
        if let known = inGroups[name] { return known }
        let found = arrayInGroup(name)
        inGroups[name] = found
        return found
    }

    private func arrayInGroup(_ name: String) -> ReaderArray? {
        guard case .array(let outline?)? = try? reader.answer(to: .array(named: name)), outline.isPossible else {
            return nil
        }
        defer { nextNumber += 1 }
        return ReaderArray(path: path, outline: outline, number: nextNumber, reader: reader)
    }
}

private struct ReaderArray: ProductArray {
    let path: String
    let outline: ArrayOutline
    let number: Int
    let reader: ReaderProcess

    var name: String { outline.name }
    var type: VariableType { outline.type }
    var dimensions: [Dimension] { outline.dimensions }
    var chunkLengths: [Int]? { outline.chunkLengths }
    var attributeNames: [String] { outline.attributes.map(\.name) }
    func attribute(_ name: String) -> Attribute? { outline.attributes.first { $0.name == name }?.value }

    func read(start: [Int], count: [Int], into values: UnsafeMutableBufferPointer<Double>) throws {
        try reader.read(number, start: start, count: count, into: values)
    }
}
