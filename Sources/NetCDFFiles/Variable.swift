import CNetCDF
import Fields
import Glibc

public struct Dimension: Codable, Sendable, Equatable {
    package let id: Int32
    public let name: String
    public let length: Int

    /// A dimension of a file of another format, which has lengths but no names or numbers for them.
    public init(name: String, length: Int) {
        self.init(id: -1, name: name, length: length)
    }

    /// Two of one length and no name are told apart by their numbers in the file.
    package init(id: Int32, name: String, length: Int) {
        self.id = id
        self.name = name
        self.length = length
    }
}

/// A variable of an open file. Valid as long as its file is open; used from one thread (libnetcdf is not thread-safe).
public struct Variable {
    let file: NetCDFFile
    let id: Int32
    public let name: String
    public let type: VariableType
    public let dimensions: [Dimension]

    public var shape: [Int] { dimensions.map(\.length) }
    public var count: Int { shape.reduce(1, *) }
    public var path: String { file.path }

    /// Lengths of the chunks that the variable is stored in, one for each dimension; nil where it is contiguous.
    public var chunkLengths: [Int]? {
        var storage: Int32 = 0
        var lengths = [Int](repeating: 0, count: max(1, dimensions.count))
        guard !dimensions.isEmpty, withNetCDFLock(nc_inq_var_chunking(file.id, id, &storage, &lengths)) == NC_NOERR,
            storage == NC_CHUNKED
        else { return nil }
        return lengths
    }

    public func attribute(_ name: String) -> Attribute? { file.readAttribute(name, of: id) }
    public var attributeNames: [String] { file.attributeNames(of: id) }

    /// Writes numbers as double, unless a convention requires the variable's own type (flag_values), and text as NC_CHAR, or as
    /// NC_STRING with the type `.string` (as the MEaSUREs products have it).
    public func setAttribute(_ name: String, _ value: Attribute, as type: VariableType = .double) throws(NetCDFError) {
        try file.writeAttribute(name, value, as: type, of: id)
    }

    /// All values, row-major.
    public func read<Value: NetCDFValue>(as: Value.Type = Value.self) throws(NetCDFError) -> [Value] {
        try read(start: [Int](repeating: 0, count: dimensions.count), count: shape)
    }

    /// The values of a hyperslab, row-major; throws where a value does not fit the type.
    public func read<Value: NetCDFValue>(
        start: [Int], count: [Int], as: Value.Type = Value.self
    ) throws(NetCDFError) -> [Value] {
        guard let total = numberOfCells(count), total <= NetCDFFile.maxValuesAtOnce else {
            throw .tooLarge(variable: name, path: path, shape: count)
        }
        var failure: NetCDFError?
        let values = [Value](unsafeUninitializedCapacity: max(total, 1)) { buffer, initialized in
            buffer.initialize(repeating: .zero)
            do throws(NetCDFError) {
                try read(start: start, count: count, into: UnsafeMutableBufferPointer(rebasing: buffer[..<total]))
            } catch {
                failure = error
            }
            initialized = total
        }
        if let failure { throw failure }
        return values
    }

    /// Reads a hyperslab into a buffer of its size.
    public func read<Value: NetCDFValue>(
        start: [Int], count: [Int], into values: UnsafeMutableBufferPointer<Value>
    ) throws(NetCDFError) {
        precondition(start.count == dimensions.count && count.count == dimensions.count)
        guard let address = values.baseAddress, !values.isEmpty else { return }
        errno = 0
        let status = withNetCDFLock(Value.hyperslab.get(file.id, id, start, count, address))
        guard status != NC_NOERR else { return }
        let what = "variable \(quoted(name))"
        throw errno == EIO
            ? .diskFailed(path: path, what: what)
            : .readFailed(path: path, what: what, reason: reason(of: status, errno: errno))
    }

    public func write<Value: NetCDFValue>(_ values: [Value]) throws(NetCDFError) {
        try write(values, start: [Int](repeating: 0, count: dimensions.count), count: shape)
    }

    public func write<Value: NetCDFValue>(_ values: [Value], start: [Int], count: [Int]) throws(NetCDFError) {
        precondition(values.count == count.reduce(1, *), "\(values.count) values for a slab of shape \(count)")
        guard !values.isEmpty else { return }
        let status = withNetCDFLock(Value.hyperslab.put(file.id, id, start, count, values))
        try file.check(status, writing: "variable \(quoted(name))")
    }
}

/// The number of cells of a shape; nil for an impossible one, as from a damaged header.
package func numberOfCells(_ shape: [Int]) -> Int? {
    var total = 1
    for length in shape {
        let (product, overflow) = total.multipliedReportingOverflow(by: length)
        guard length >= 0, !overflow else { return nil }
        total = product
    }
    return total
}
