import Fields
import Foundation
import NetCDFFiles

/// What a command asks of its reader.
enum ReaderRequest: Codable {
    /// The description of an array in a group.
    case array(named: String)
    /// The values of a hyperslab of an array, in shared memory for `capacity` values.
    case values(array: Int, start: [Int], count: [Int], capacity: Int)
}

/// What a reader answers; the content of the file is sent unasked.
enum ReaderAnswer: Codable {
    case file(attributes: [NamedAttribute], arrays: [ArrayOutline], others: [String])
    case array(ArrayOutline?)
    case values
    case failure(FailureKind, String)
}

struct NamedAttribute: Codable, Equatable {
    let name: String
    let value: Attribute

    static func all(_ names: [String], _ value: (String) -> Attribute?) -> [NamedAttribute] {
        names.compactMap { name in value(name).map { NamedAttribute(name: name, value: $0) } }
    }
}

/// The description of an array: everything but its values.
package struct ArrayOutline: Codable, Equatable {
    let name: String
    let type: VariableType
    let dimensions: [NetCDFFiles.Dimension]
    let chunkLengths: [Int]?
    let attributes: [NamedAttribute]

    package init(of array: any ProductArray) throws {
        (name, type, dimensions, chunkLengths) = (array.name, array.type, array.dimensions, array.chunkLengths)
        attributes = NamedAttribute.all(array.attributeNames, array.attribute)
        guard numberOfCells(array.shape) != nil else {
            throw NetCDFError.tooLarge(variable: array.name, path: array.path, shape: array.shape)
        }
    }

    /// Whether a file can have such an array. A chunk may be longer than an extendible dimension; HDF5 stores its length in four
    /// bytes.
    package var isPossible: Bool {
        let chunks = chunkLengths ?? dimensions.map { _ in 1 }
        return numberOfCells(dimensions.map(\.length)) != nil && chunks.count == dimensions.count
            && chunks.allSatisfy { $0 > 0 && $0 <= Int(UInt32.max) }
    }
}

/// Messages between a command and its reader: JSON, preceded by its length in eight bytes. A damaged file may have corrupted the
/// reader, so its messages are not trusted: what is no message is an error.
package enum ReaderMessage {
    /// Far more than the header of any product.
    static let maxBytes = 1 << 26

    package static func bytes(of message: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return try encoder.encode(message)
    }

    package static func message<Message: Decodable>(_ type: Message.Type, from bytes: Data) throws -> Message {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return try decoder.decode(type, from: bytes)
    }

    /// Writes a message to a socket; false if the other end is closed.
    static func write(_ message: Data, to socket: Int32) -> Bool {
        withUnsafeBytes(of: message.count) { writeAll(Data($0) + message, to: socket) }
    }

    static func writeAll(_ bytes: Data, to socket: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
