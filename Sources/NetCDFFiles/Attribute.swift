import CNetCDF
import Fields
import Glibc

/// The value of an attribute: NC_CHAR and NC_STRING are both text, all numbers are doubles.
public enum Attribute: Codable, Sendable, Equatable {
    case text(String)
    case numbers([Double])

    public static func number(_ number: Double) -> Attribute { .numbers([number]) }

    public var text: String? {
        if case .text(let text) = self { text } else { nil }
    }
    /// The number, also from an array of one or from text that is a number ("-2800000.0 m" is not).
    public var number: Double? {
        switch self {
        case .numbers(let numbers): numbers.count == 1 ? numbers[0] : nil
        case .text(let text): Double(text.trimmingBlanks())
        }
    }
    public var numbers: [Double]? {
        if case .numbers(let numbers) = self { numbers } else { nil }
    }
}

extension Attribute: ExpressibleByStringInterpolation, ExpressibleByFloatLiteral {
    public init(stringLiteral text: String) { self = .text(text) }
    public init(floatLiteral number: Double) { self = .number(number) }
}

/// Attributes in the order in which they are written.
public typealias Attributes = KeyValuePairs<String, Attribute>

extension NetCDFFile {
    /// Longer attributes count as damage: libnetcdf would allocate whatever a damaged header claims.
    static let maxAttributeLength = 1 << 20

    func readAttribute(_ name: String, of variable: Int32) -> Attribute? {
        var type: nc_type = 0
        var length = 0
        guard withNetCDFLock(nc_inq_att(id, variable, name, &type, &length)) == NC_NOERR,
            length <= NetCDFFile.maxAttributeLength
        else { return nil }
        switch type {
        case NC_CHAR:
            var bytes = [UInt8](repeating: 0, count: length)
            let status = bytes.withUnsafeMutableBytes { raw in
                withNetCDFLock(nc_get_att_text(id, variable, name, raw.bindMemory(to: CChar.self).baseAddress))
            }
            guard status == NC_NOERR else { return nil }
            while bytes.last == 0 { bytes.removeLast() }
            return .text(textOrLatin1(bytes))
        case NC_STRING:
            var pointers = [UnsafeMutablePointer<CChar>?](repeating: nil, count: length)
            guard withNetCDFLock(nc_get_att_string(id, variable, name, &pointers)) == NC_NOERR else { return nil }
            defer { withNetCDFLock(nc_free_string(length, &pointers)) }
            let texts = pointers.compactMap {
                $0.map { textOrLatin1(UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
            }
            return .text(texts.joined(separator: " "))
        case NC_BYTE, NC_SHORT, NC_INT, NC_FLOAT, NC_DOUBLE, NC_UBYTE, NC_USHORT, NC_UINT, NC_INT64, NC_UINT64:
            var numbers = [Double](repeating: 0, count: length)
            guard withNetCDFLock(nc_get_att_double(id, variable, name, &numbers)) == NC_NOERR else { return nil }
            return .numbers(numbers)
        default:
            return nil
        }
    }

    func attributeNames(of variable: Int32) -> [String] {
        var count: Int32 = 0
        let status =
            variable == NC_GLOBAL
            ? withNetCDFLock(nc_inq_natts(id, &count)) : withNetCDFLock(nc_inq_varnatts(id, variable, &count))
        guard status == NC_NOERR else { return [] }
        return (0..<count).compactMap { number in
            var name = [CChar](repeating: 0, count: Int(NC_MAX_NAME) + 1)
            guard withNetCDFLock(nc_inq_attname(id, variable, number, &name)) == NC_NOERR else { return nil }
            return text(of: name)
        }
    }

    func writeAttribute(_ name: String, _ value: Attribute, as type: VariableType, of variable: Int32)
        throws(NetCDFError)
    {
        let status: Int32
        switch value {
        case .text(let text) where type == .string:
            status = text.withCString { pointer in
                var pointer: UnsafePointer<CChar>? = pointer
                return withNetCDFLock(nc_put_att_string(id, variable, name, 1, &pointer))
            }
        case .text(let text):
            status = withNetCDFLock(nc_put_att_text(id, variable, name, text.utf8.count, text))
        case .numbers(let numbers):
            status = withNetCDFLock(nc_put_att_double(id, variable, name, type.rawValue, numbers.count, numbers))
        }
        try check(status, writing: "attribute \(quoted(name))")
    }
}

/// Text of a file that does not say how it is encoded: older products have names in Latin-1, every text of which is valid.
package func textOrLatin1(_ bytes: some Collection<UInt8>) -> String {
    String(validating: bytes, as: UTF8.self)
        ?? String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
}

func text(of buffer: [CChar]) -> String {
    String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
