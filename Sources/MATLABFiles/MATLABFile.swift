import CMatio
import Fields
import Glibc
import NetCDFFiles

/// An open MATLAB file of version 5, the default of `save`; version 7.3 is HDF5 and read by `NetCDFFile`. Only real numeric arrays
/// at the top level are read.
///
/// The file stores arrays by columns. Here their dimensions are reversed, so that they are row-major, like the same arrays in a file
/// of version 7.3.
public final class MATLABFile {
    public let path: String
    public private(set) var arraysOfFile: [MATLABArray] = []
    /// Names of what else the file holds, with its kind.
    public private(set) var others: [String] = []

    /// Whether a file is of this kind, by its first bytes.
    public static func isOne(_ firstBytes: [UInt8]) -> Bool { firstBytes.starts(with: Array("MATLAB 5.0".utf8)) }

    public init(reading path: String) throws {
        let bytes = try regularFileBytes(path)
        try MATLABFile.requireWhole(path, bytes: bytes)
        LibraryCrash.concerns(reading: path)
        withNetCDFLock(cmatio_silence())
        let opened = withNetCDFLock(UInt(bitPattern: Mat_Open(path, Int32(MAT_ACC_RDONLY.rawValue))))
        guard let opened = OpaquePointer(bitPattern: opened) else {
            throw PlainFailure(
                "\(path): begins like a MATLAB file but cannot be read as one; save it again, with -v7.3 if it is large"
            )
        }
        let handle = MATLABHandle(opened)
        self.path = path
        while let variable = inMatio({ Mat_VarReadNextInfo(handle.file) }) {
            defer { withNetCDFLock(Mat_VarFree(variable)) }
            if let array = MATLABArray(variable.pointee, in: handle, path: path, fileBytes: bytes) {
                arraysOfFile.append(array)
            } else if let name = variable.pointee.name {
                others.append(
                    "\(String(cString: name)) (\(variable.pointee.isComplex == 0 ? "not an array of numbers" : "complex numbers"))"
                )
            }
        }
    }

    /// Throws for a truncated file, which the library would read without error as far as it goes. After a header that ends in the
    /// byte order, the file is a sequence of elements that begin with their lengths.
    private static func requireWhole(_ path: String, bytes: Int) throws {
        guard let file = fopen(path, "r") else {
            throw NetCDFError.notReadable(path: path, reason: String(cString: strerror(errno)))
        }
        defer { fclose(file) }
        var header = [UInt8](repeating: 0, count: 128)
        let isLittle = fread(&header, 1, 128, file) == 128 && header[126] == UInt8(ascii: "I")
        var end = 128
        while end < bytes {
            var tag: [UInt32] = [0, 0]
            let isThere = fseek(file, end, SEEK_SET) == 0 && fread(&tag, 4, 2, file) == 2
            end += 8
            guard isThere else { break }
            end += Int(isLittle ? UInt32(littleEndian: tag[1]) : UInt32(bigEndian: tag[1]))
        }
        guard end == bytes else {
            throw PlainFailure(
                "\(path): has \(bytes) bytes, but its elements need \(end); the file is truncated, save or download it again"
            )
        }
    }
}

/// A real numeric array, read completely on first use and kept as the library has it: no array of version 5 is over 2 GB, and such
/// files are usually crops.
public final class MATLABArray {
    public let name: String
    public let path: String
    /// In reverse of MATLAB's order; named after their lengths, since the format has no names.
    public let dimensions: [Dimension]
    /// The type that MATLAB shows; the file may hold a smaller one.
    public let type: VariableType
    private let handle: MATLABHandle
    private var values: MATLABValues?
    private let count: Int

    /// The largest array that MATLAB saves in a file of version 5.
    private static let maxBytes = 1 << 31
    /// The best ratio of deflate; what claims more is damaged.
    private static let highestCompression = 1032

    init?(_ variable: matvar_t, in handle: MATLABHandle, path: String, fileBytes: Int) {
        guard let type = MATLABArray.types[variable.class_type.rawValue], variable.isComplex == 0,
            let name = variable.name,
            let lengths = variable.dims, variable.rank >= 2, variable.rank <= 8
        else { return nil }
        var dimensions: [Dimension] = []
        var count = 1
        for number in (0..<Int(variable.rank)).reversed() {
            let length = lengths[number]
            let (product, overflow) = count.multipliedReportingOverflow(by: Int(clamping: length))
            guard length >= 0, !overflow, product / MATLABArray.highestCompression <= fileBytes else { return nil }
            count = product
            let same = dimensions.count { $0.length == length }
            dimensions.append(
                Dimension(name: same == 0 ? "of \(length)" : "of \(length), \(same + 1)", length: Int(length)))
        }
        self.name = String(cString: name)
        self.path = path
        self.dimensions = dimensions
        self.count = count
        self.type = type
        self.handle = handle
    }

    /// Reads a hyperslab, row-major, into a buffer of its size.
    public func read(start: [Int], count: [Int], into picked: UnsafeMutableBufferPointer<Double>) throws {
        precondition(start.count == dimensions.count && count.count == dimensions.count)
        guard !picked.isEmpty else { return }
        let all = try all()
        var place = 0
        func pick(_ level: Int, _ offset: Int) {
            let here = offset * dimensions[level].length + start[level]
            if level == dimensions.count - 1 {
                precondition(here >= 0 && here + count[level] <= self.count)
                all.copy(
                    from: here, to: UnsafeMutableBufferPointer(rebasing: picked[place..<place + count[level]]))
                place += count[level]
            } else {
                for step in 0..<count[level] { pick(level + 1, here + step) }
            }
        }
        pick(0, 0)
    }

    private func all() throws -> MATLABValues {
        if let values { return values }
        let bytes = count * type.byteCount
        guard bytes <= MATLABArray.maxBytes else {
            throw PlainFailure(
                "\(path): variable \(quoted(name)) claims \(bytes / 1_000_000) MB, more than a file of version 5 can hold; the file is damaged, or save it with -v7.3"
            )
        }
        LibraryCrash.concerns(reading: path)
        errno = 0
        guard let variable = inMatio(allowing: bytes, { Mat_VarRead(handle.file, name) }),
            let found = MATLABValues(variable, count: count)
        else {
            throw PlainFailure(
                errno == ENOMEM
                    ? "\(path): variable \(quoted(name)) needs \(bytes / 1_000_000) MB of memory, more than available; save it with -v7.3, which is read in bands, or save a crop"
                    : "\(path): cannot read variable \(quoted(name)); the file is damaged or truncated, save or download it again"
            )
        }
        values = found
        return found
    }

    private static let types: [UInt32: VariableType] = [
        MAT_C_DOUBLE.rawValue: .double, MAT_C_SINGLE.rawValue: .float, MAT_C_INT8.rawValue: .int8,
        MAT_C_UINT8.rawValue: .uint8, MAT_C_INT16.rawValue: .int16, MAT_C_UINT16.rawValue: .uint16,
        MAT_C_INT32.rawValue: .int32, MAT_C_UINT32.rawValue: .uint32,
    ]
}

/// An array as read by the library, in the file's type: doubles would take more memory.
private final class MATLABValues {
    private let variable: UnsafeMutablePointer<matvar_t>
    private let data: UnsafeMutableRawPointer
    private let type: matio_types

    /// Takes ownership of the variable; nil where it does not have `count` values.
    init?(_ variable: UnsafeMutablePointer<matvar_t>, count: Int) {
        let found = variable.pointee
        guard let data = found.data, let size = MATLABValues.sizes[found.data_type.rawValue],
            Int(found.data_size) == size, found.nbytes / size == count
        else {
            withNetCDFLock(Mat_VarFree(variable))
            return nil
        }
        (self.variable, self.data, type) = (variable, data, found.data_type)
    }

    deinit { withNetCDFLock(Mat_VarFree(variable)) }

    /// Copies values from an index on, as many as fit.
    func copy(from place: Int, to doubles: UnsafeMutableBufferPointer<Double>) {
        func convert<Value>(_: Value.Type, _ double: (Value) -> Double) {
            let values = data.assumingMemoryBound(to: Value.self) + place
            for number in doubles.indices { doubles[number] = double(values[number]) }
        }
        switch type {
        case MAT_T_DOUBLE: convert(Double.self) { $0 }
        case MAT_T_SINGLE: convert(Float.self) { Double($0) }
        case MAT_T_INT8: convert(Int8.self) { Double($0) }
        case MAT_T_UINT8: convert(UInt8.self) { Double($0) }
        case MAT_T_INT16: convert(Int16.self) { Double($0) }
        case MAT_T_UINT16: convert(UInt16.self) { Double($0) }
        case MAT_T_INT32: convert(Int32.self) { Double($0) }
        default: convert(UInt32.self) { Double($0) }
        }
    }

    private static let sizes: [UInt32: Int] = [
        MAT_T_DOUBLE.rawValue: 8, MAT_T_SINGLE.rawValue: 4, MAT_T_INT8.rawValue: 1, MAT_T_UINT8.rawValue: 1,
        MAT_T_INT16.rawValue: 2, MAT_T_UINT16.rawValue: 2, MAT_T_INT32.rawValue: 4, MAT_T_UINT32.rawValue: 4,
    ]
}

/// The library's file, closed with its last array.
final class MATLABHandle {
    let file: OpaquePointer
    init(_ file: OpaquePointer) { self.file = file }
    deinit { withNetCDFLock(Mat_Close(file)) }
}

/// Calls libmatio under the same lock and crash guard as the other libraries (`LibraryCrash`).
private func inMatio<Pointee>(
    allowing bytes: Int = 0, _ call: () -> UnsafeMutablePointer<Pointee>?
) -> UnsafeMutablePointer<Pointee>? {
    UnsafeMutablePointer(bitPattern: withNetCDFLock(allowing: bytes, UInt(bitPattern: call())))
}
