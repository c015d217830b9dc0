import Foundation

/// TensorBoard's event files, read by the letter of their formats: TFRecords with CRC-32C computed bit by bit, protocol buffers
/// field by field.
struct EventFileReader {
    struct Event {
        var time = 0.0
        var step = 0
        var version = ""
        /// SessionLog.status.
        var status = 0
        var scalars: [String: Float] = [:]
    }

    let events: [Event]

    struct Damage: Error {}

    init(_ data: Data) throws {
        var bytes = [UInt8](data)[...]
        func take(_ count: Int) throws -> ArraySlice<UInt8> {
            guard count >= 0, bytes.count >= count else { throw Damage() }
            defer { bytes = bytes.dropFirst(count) }
            return bytes.prefix(count)
        }
        var events: [Event] = []
        while !bytes.isEmpty {
            let length = try take(8)
            guard Self.masked(length) == UInt32(Self.number(try take(4))) else { throw Damage() }
            let record = try take(Int(Self.number(length)))
            guard Self.masked(record) == UInt32(Self.number(try take(4))) else { throw Damage() }
            events.append(try Self.event(record))
        }
        self.events = events
    }

    /// Events of every file of a folder, in the order of names.
    init(folder: String) throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.contains("tfevents") }
            .sorted()
        var events: [Event] = []
        for name in names {
            events += try Self(Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)"))).events
        }
        self.events = events
    }

    private init(events: [Event]) { self.events = events }

    private static func event(_ message: ArraySlice<UInt8>) throws -> Event {
        var event = Event()
        for (field, value) in try fields(message) {
            switch field {
            case 1: event.time = Double(bitPattern: number(value))
            case 2: event.step = Int(number(value))
            case 3: event.version = String(decoding: value, as: UTF8.self)
            case 5:
                for (_, scalar) in try fields(value) {
                    let parts = Dictionary(uniqueKeysWithValues: try fields(scalar))
                    guard let tag = parts[1], let simple = parts[2], simple.count == 4 else { throw Damage() }
                    event.scalars[String(decoding: tag, as: UTF8.self)] = Float(bitPattern: UInt32(number(simple)))
                }
            case 7: event.status = Int(number(try fields(value).first { $0.0 == 1 }?.1 ?? []))
            default: throw Damage()
            }
        }
        return event
    }

    /// Field numbers and values; a whole number as its eight bytes.
    private static func fields(_ message: ArraySlice<UInt8>) throws -> [(Int, ArraySlice<UInt8>)] {
        var rest = message
        func take(_ count: Int) throws -> ArraySlice<UInt8> {
            guard rest.count >= count else { throw Damage() }
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count)
        }
        func whole() throws -> UInt64 {
            var value: UInt64 = 0
            for shift in stride(from: 0, to: 64, by: 7) {
                let byte = try take(1).first!
                value |= UInt64(byte & 0x7F) << shift
                if byte < 0x80 { return value }
            }
            throw Damage()
        }
        var fields: [(Int, ArraySlice<UInt8>)] = []
        while !rest.isEmpty {
            let key = try whole()
            let value: ArraySlice<UInt8>
            switch key & 7 {
            case 0:
                let number = try whole()
                value = (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }[...]
            case 1: value = try take(8)
            case 2: value = try take(Int(try whole()))
            case 5: value = try take(4)
            default: throw Damage()
            }
            fields.append((Int(key >> 3), value))
        }
        return fields
    }

    private static func number(_ littleEndian: ArraySlice<UInt8>) -> UInt64 {
        littleEndian.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func masked(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        var rest: UInt32 = .max
        for byte in bytes {
            rest ^= UInt32(byte)
            for _ in 0..<8 { rest = rest >> 1 ^ (rest & 1 == 1 ? 0x82F6_3B78 : 0) }
        }
        let checksum = ~rest
        return (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8
    }
}
