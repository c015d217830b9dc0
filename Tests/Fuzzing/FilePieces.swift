import Fields
import Foundation
import NetCDFFiles

/// A NetCDF file taken apart, changed as the fuzzer's bytes say, and put together with a valid trailer: what our own code makes of
/// a header whose bytes the libraries accept. (The libraries themselves are tried with damaged files, Tests/CommandTests/FuzzTests.)
struct FilePieces {
    private struct Piece {
        var name: String
        var type: VariableType
        var dimensions: [Int]
        var attributes: [(name: String, value: Attribute)]
        var values: [Double]
    }

    private var attributes: [(name: String, value: Attribute)]
    private var dimensions: [(name: String, length: Int)] = []
    private var variables: [Piece] = []

    init(of path: String) throws {
        let file = try NetCDFFile(reading: path)
        attributes = file.attributeNames.compactMap { name in file.attribute(name).map { (name, $0) } }
        for variable in file.variables {
            for dimension in variable.dimensions where !dimensions.contains(where: { $0.name == dimension.name }) {
                dimensions.append((dimension.name, dimension.length))
            }
            variables.append(
                Piece(
                    name: variable.name, type: variable.type,
                    dimensions: variable.dimensions.map { mine in dimensions.firstIndex { $0.name == mine.name }! },
                    attributes: variable.attributeNames.compactMap { name in
                        variable.attribute(name).map { (name, $0) }
                    }, values: try variable.read()))
        }
    }

    /// Each change is two bytes, which and where, and what it needs.
    func changed(by bytes: Data) -> FilePieces {
        var pieces = self
        var rest = bytes[...]
        func byte() -> Int { Int(rest.popFirst() ?? 0) }
        func place(in count: Int) -> Int? {
            let place = byte()
            return count == 0 ? nil : place % count
        }
        func text() -> String {
            let length = byte() % 64
            defer { rest = rest.dropFirst(length) }
            return String(decoding: rest.prefix(length).map { $0 == 0 ? 32 : $0 }, as: UTF8.self)
        }
        func value() -> Attribute {
            let kind = byte() % 4
            if kind == 0 { return .text(text()) }
            return .numbers(
                (0..<kind).map { _ in
                    var bits: UInt64 = 0
                    for _ in 0..<8 { bits = bits << 8 | UInt64(byte()) }
                    return Double(bitPattern: bits)
                })
        }
        while !rest.isEmpty {
            switch byte() % 8 {
            case 0: if let k = place(in: pieces.attributes.count) { pieces.attributes.remove(at: k) }
            case 1: if let k = place(in: pieces.attributes.count) { pieces.attributes[k].value = value() }
            case 2: if let k = place(in: pieces.variables.count) { pieces.variables.remove(at: k) }
            case 3:
                if let k = place(in: pieces.variables.count) {
                    pieces.variables[k].type = [.float, .double, .int8, .int32, .uint32, .int64][byte() % 6]
                }
            case 4: if let k = place(in: pieces.dimensions.count) { pieces.dimensions[k].length = 1 + byte() }
            case 5:
                if let k = place(in: pieces.variables.count), let n = place(in: pieces.variables[k].attributes.count) {
                    pieces.variables[k].attributes[n].value = value()
                }
            case 6:
                if let k = place(in: pieces.variables.count), let n = place(in: pieces.dimensions.count) {
                    pieces.variables[k].dimensions = [n]
                }
            default:
                if let k = place(in: pieces.variables.count), let n = place(in: pieces.variables[k].values.count),
                    case .numbers(let numbers) = value()
                {
                    pieces.variables[k].values[n] = numbers[0]
                }
            }
        }
        return pieces
    }

    func write(to path: String) throws {
        try? FileManager.default.removeItem(atPath: path)
        try NetCDFFile.create(path) { file in
            for (name, value) in attributes { try file.setAttribute(name, value) }
            let dimensions = try self.dimensions.map { try file.define(dimension: $0.name, length: $0.length) }
            var made: [(Variable, [Double])] = []
            for piece in variables {
                let mine = piece.dimensions.map { dimensions[$0] }
                let variable = try file.define(variable: piece.name, piece.type, over: mine)
                for (name, value) in piece.attributes { try variable.setAttribute(name, value) }
                let count = mine.reduce(1) { $0 * $1.length }
                made.append(
                    (variable, (0..<count).map { piece.values.isEmpty ? 0 : piece.values[$0 % piece.values.count] }))
            }
            try file.endDefinitions()
            for (variable, values) in made {
                // A number beyond the type's range is refused by the library, in the file it is nothing worse.
                try? variable.write(values)
            }
        }
        try IntegrityTrailer.close(path)
    }
}
