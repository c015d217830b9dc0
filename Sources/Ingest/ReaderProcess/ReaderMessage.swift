import Fields
import Glibc
import NetCDFFiles

/// A message between a command and its reader: integers of eight bytes, and texts and arrays preceded by their count. A damaged
/// file may have corrupted the reader, so its messages are not trusted: reading beyond the end, or an impossible value, throws
/// `Nonsense`.
package struct ReaderMessage {
    package struct Nonsense: Error {}

    /// Far more than the header of any product.
    static let maxBytes = 1 << 26

    package private(set) var bytes: [UInt8] = []
    private var position = 0

    package init() {}
    package init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func put(_ number: Int) { put(bits: UInt64(bitPattern: Int64(number))) }
    mutating func put(_ text: String) {
        put(text.utf8.count)
        bytes += text.utf8
    }
    mutating func put(_ numbers: [Double]) {
        put(numbers.count)
        for number in numbers { put(bits: number.bitPattern) }
    }
    mutating func put(_ lengths: [Int]) {
        put(lengths.count)
        for length in lengths { put(length) }
    }
    private mutating func put(bits: UInt64) { withUnsafeBytes(of: bits.littleEndian) { bytes += $0 } }

    mutating func number() throws(Nonsense) -> Int { Int(truncatingIfNeeded: try bits()) }
    mutating func text() throws(Nonsense) -> String {
        let count = try count(of: 1)
        defer { position += count }
        return String(decoding: bytes[position..<position + count], as: UTF8.self)
    }
    mutating func numbers() throws(Nonsense) -> [Double] {
        var numbers: [Double] = []
        for _ in 0..<(try count(of: 8)) { numbers.append(Double(bitPattern: try bits())) }
        return numbers
    }
    mutating func lengths() throws(Nonsense) -> [Int] {
        var lengths: [Int] = []
        for _ in 0..<(try count(of: 8)) { lengths.append(try number()) }
        return lengths
    }
    /// The number of elements that follow, each of at least `size` bytes.
    mutating func count(of size: Int) throws(Nonsense) -> Int {
        let count = try number()
        guard count >= 0, count <= (bytes.count - position) / size else { throw Nonsense() }
        return count
    }
    private mutating func bits() throws(Nonsense) -> UInt64 {
        guard bytes.count - position >= 8 else { throw Nonsense() }
        defer { position += 8 }
        return bytes[position..<position + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    }
}

extension ReaderMessage {
    /// Sends the message, preceded by its length; false if the other end is closed.
    func send(to socket: Int32) -> Bool {
        var head = ReaderMessage()
        head.put(bytes.count)
        return ReaderMessage.send(head.bytes + bytes, to: socket)
    }

    /// Waits for the next message; nil if the other end is closed.
    init?(from socket: Int32) {
        func receive(_ count: Int) -> [UInt8]? {
            var bytes = [UInt8](repeating: 0, count: count)
            var received = 0
            while received < count {
                let got = bytes.withUnsafeMutableBytes { recv(socket, $0.baseAddress! + received, count - received, 0) }
                if got < 0, errno == EINTR { continue }
                guard got > 0 else { return nil }
                received += got
            }
            return bytes
        }
        guard let head = receive(8) else { return nil }
        var length = ReaderMessage(bytes: head)
        guard let count = try? length.number(), let bytes = receive(count) else { return nil }
        self.init(bytes: bytes)
    }

    static func send(_ bytes: [UInt8], to socket: Int32) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }
}

/// The attributes of a file or an array, in their order.
package struct AttributeOutline: Equatable {
    package private(set) var names: [String] = []
    private var values: [String: Attribute] = [:]

    package init(_ names: [String], _ value: (String) -> Attribute?) {
        for name in names {
            if let value = value(name) { add(name, value) }
        }
    }

    package subscript(name: String) -> Attribute? { values[name] }

    private mutating func add(_ name: String, _ value: Attribute) {
        if values.updateValue(value, forKey: name) == nil { names.append(name) }
    }

    init(from message: inout ReaderMessage) throws(ReaderMessage.Nonsense) {
        for _ in 0..<(try message.count(of: 16)) {
            let name = try message.text()
            add(name, try message.number() == 0 ? .text(try message.text()) : .numbers(try message.numbers()))
        }
    }

    func put(into message: inout ReaderMessage) {
        message.put(names.count)
        for name in names {
            message.put(name)
            switch values[name] {
            case .numbers(let numbers):
                message.put(1)
                message.put(numbers)
            case .text(let text):
                message.put(0)
                message.put(text)
            case nil: preconditionFailure("an attribute without a value")
            }
        }
    }
}

/// The description of an array: everything but its values.
package struct ArrayOutline: Equatable {
    let name: String
    let type: VariableType
    let dimensions: [Dimension]
    let chunkLengths: [Int]?
    let attributes: AttributeOutline

    package init(
        name: String, type: VariableType, dimensions: [Dimension], chunkLengths: [Int]?, attributes: AttributeOutline
    ) {
        self.name = name
        self.type = type
        self.dimensions = dimensions
        self.chunkLengths = chunkLengths
        self.attributes = attributes
    }

    init(of array: any ProductArray) throws {
        guard numberOfCells(array.shape) != nil else {
            throw NetCDFError.tooLarge(variable: array.name, path: array.path, shape: array.shape)
        }
        self.init(
            name: array.name, type: array.type, dimensions: array.dimensions, chunkLengths: array.chunkLengths,
            attributes: AttributeOutline(array.attributeNames, array.attribute))
    }

    package init(from message: inout ReaderMessage) throws(ReaderMessage.Nonsense) {
        name = try message.text()
        guard let code = Int32(exactly: try message.number()), let type = VariableType(rawValue: code) else {
            throw ReaderMessage.Nonsense()
        }
        self.type = type
        var dimensions: [Dimension] = []
        for _ in 0..<(try message.count(of: 24)) {
            guard let id = Int32(exactly: try message.number()) else { throw ReaderMessage.Nonsense() }
            dimensions.append(Dimension(id: id, name: try message.text(), length: try message.number()))
        }
        let chunks = try message.lengths()
        // A chunk may be longer than an extendible dimension; HDF5 stores its length in four bytes.
        guard numberOfCells(dimensions.map(\.length)) != nil, chunks.isEmpty || chunks.count == dimensions.count,
            chunks.allSatisfy({ $0 > 0 && $0 <= Int(UInt32.max) })
        else { throw ReaderMessage.Nonsense() }
        self.dimensions = dimensions
        chunkLengths = chunks.isEmpty ? nil : chunks
        attributes = try AttributeOutline(from: &message)
    }

    package func put(into message: inout ReaderMessage) {
        message.put(name)
        message.put(Int(type.rawValue))
        message.put(dimensions.count)
        for dimension in dimensions {
            message.put(Int(dimension.id))
            message.put(dimension.name)
            message.put(dimension.length)
        }
        message.put(chunkLengths ?? [])
        attributes.put(into: &message)
    }
}
