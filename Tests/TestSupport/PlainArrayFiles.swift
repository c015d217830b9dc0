@preconcurrency import CHDF5
import Foundation
import NetCDFFiles

/// A matrix for the tests' own file writers: `rows` by `columns`, column-major as in MATLAB.
public struct MATLABMatrix {
    public var name: String
    public var rows: Int
    public var columns: Int
    public var values: [Double]
    public var isSingle = false
    /// Whether it has an imaginary part, of the same size (version 5 only).
    public var isComplex = false

    public init(_ name: String, rows: Int, columns: Int, _ value: (_ row: Int, _ column: Int) -> Double) {
        (self.name, self.rows, self.columns) = (name, rows, columns)
        values = (0..<columns).flatMap { column in (0..<rows).map { value($0, column) } }
    }
}

/// Writer of MATLAB files of version 5, as `save` writes by default.
public enum MATLAB5Writer {
    public static func write(_ matrices: [MATLABMatrix], compressed: Bool, to path: String) throws {
        var bytes = header("MATLAB 5.0 MAT-file, Platform: GLNXA64", version: 0x0100)
        for matrix in matrices {
            let element = element(14, matrix.body)
            bytes += compressed ? words([15, UInt32(stored(element).count)]) + stored(element) : element
        }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }

    static func header(_ text: String, version: UInt16) -> [UInt8] {
        let padded = Array(text.utf8) + [UInt8](repeating: 0x20, count: 116 - text.utf8.count)
        return padded + [UInt8](repeating: 0, count: 8) + [UInt8(version & 255), UInt8(version >> 8)] + Array("IM".utf8)
    }

    /// A tag and its data, padded to eight bytes.
    fileprivate static func element(_ type: UInt32, _ data: [UInt8]) -> [UInt8] {
        let padding = (8 - data.count % 8) % 8
        return words([type, UInt32(data.count)]) + data + [UInt8](repeating: 0, count: padding)
    }

    fileprivate static func words(_ numbers: [UInt32]) -> [UInt8] {
        numbers.flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
    }

    /// A zlib stream of stored (uncompressed) blocks.
    private static func stored(_ data: [UInt8]) -> [UInt8] {
        var stream: [UInt8] = [0x78, 0x01]
        var place = 0
        repeat {
            let count = min(65535, data.count - place)
            let isLast: UInt8 = place + count == data.count ? 1 : 0
            stream += [isLast, UInt8(count & 255), UInt8(count >> 8), UInt8(~count & 255), UInt8((~count >> 8) & 255)]
            stream += data[place..<place + count]
            place += count
        } while place < data.count
        var (a, b) = (1, 0)
        for byte in data {
            a = (a + Int(byte)) % 65521
            b = (b + a) % 65521
        }
        return stream + [UInt8(b >> 8), UInt8(b & 255), UInt8(a >> 8), UInt8(a & 255)]
    }
}

extension MATLABMatrix {
    fileprivate var body: [UInt8] {
        let flags = MATLAB5Writer.element(6, MATLAB5Writer.words([(isSingle ? 7 : 6) | (isComplex ? 0x0800 : 0), 0]))
        let dimensions = MATLAB5Writer.element(5, MATLAB5Writer.words([UInt32(rows), UInt32(columns)]))
        let name = MATLAB5Writer.element(1, Array(name.utf8))
        let data =
            isSingle
            ? MATLAB5Writer.element(7, values.flatMap { MATLAB5Writer.words([Float($0).bitPattern]) })
            : MATLAB5Writer.element(
                9,
                values.flatMap { value in
                    MATLAB5Writer.words([
                        UInt32(truncatingIfNeeded: value.bitPattern),
                        UInt32(truncatingIfNeeded: value.bitPattern >> 32),
                    ])
                })
        return flags + dimensions + name + data + (isComplex ? data : [])
    }
}

/// Writer of plain HDF5 files, without NetCDF's dimension scales.
public enum PlainHDF5Writer {
    /// A row-major array.
    public struct Array {
        public var name: String
        public var shape: [Int]
        public var values: [Double]
        public var isFloat: Bool

        public init(_ name: String, shape: [Int], _ values: [Double], isFloat: Bool = false) {
            (self.name, self.shape, self.values, self.isFloat) = (name, shape, values, isFloat)
        }
    }

    public struct Refused: Error {}

    /// MATLAB's version 7.3 (`save -v7.3`): transposed matrices after MATLAB's header of 512 bytes.
    public static func write(matrices: [MATLABMatrix], to path: String) throws {
        try write(
            matrices.map { Array($0.name, shape: [$0.columns, $0.rows], $0.values, isFloat: $0.isSingle) }, to: path,
            userBlock: 512)
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        try file.write(
            contentsOf: Data(MATLAB5Writer.header("MATLAB 7.3 MAT-file, Platform: GLNXA64", version: 0x0200)))
        try file.close()
    }

    /// Names with slashes are in groups.
    public static func write(_ arrays: [Array], to path: String, userBlock: UInt64 = 0) throws {
        try wanted(withNetCDFLock(H5open()))
        let creation = try wanted(withNetCDFLock(H5Pcreate(H5P_CLS_FILE_CREATE_ID_g)))
        if userBlock > 0 { try wanted(withNetCDFLock(H5Pset_userblock(creation, userBlock))) }
        let truncate: UInt32 = 2
        let file = try wanted(withNetCDFLock(H5Fcreate(path, truncate, creation, 0)))
        let links = try wanted(withNetCDFLock(H5Pcreate(H5P_CLS_LINK_CREATE_ID_g)))
        try wanted(withNetCDFLock(H5Pset_create_intermediate_group(links, 1)))
        for array in arrays {
            let lengths = array.shape.map { hsize_t($0) }
            let space = try wanted(withNetCDFLock(H5Screate_simple(Int32(lengths.count), lengths, nil)))
            let type = array.isFloat ? H5T_IEEE_F32LE_g : H5T_IEEE_F64LE_g
            let set = try wanted(withNetCDFLock(H5Dcreate2(file, array.name, type, space, links, 0, 0)))
            try wanted(withNetCDFLock(H5Dwrite(set, H5T_NATIVE_DOUBLE_g, 0, 0, 0, array.values)))
            try wanted(withNetCDFLock(H5Dclose(set)))
            try wanted(withNetCDFLock(H5Sclose(space)))
        }
        for list in [creation, links] { try wanted(withNetCDFLock(H5Pclose(list))) }
        try wanted(withNetCDFLock(H5Fclose(file)))
    }

    @discardableResult
    private static func wanted<Status: SignedInteger>(_ status: Status) throws -> Status {
        guard status >= 0 else { throw Refused() }
        return status
    }
}

/// HDF5 files whose variable VX links to another file, to nothing, or in a cycle.
public enum HazardousHDF5: Sendable {
    case externalLink, externalStorage, deadLink, groupInItself, deepGroups

    public func write(to path: String, leadingTo other: String) throws {
        let name =
            switch self {
            case .groupInItself: "a/x"
            case .deepGroups: String(repeating: "g/", count: 100) + "x"
            default: "x"
            }
        try PlainHDF5Writer.write([.init(name, shape: [10], [Double](repeating: 1, count: 10))], to: path)
        let readAndWrite: UInt32 = 1
        let file = withNetCDFLock(H5Fopen(path, readAndWrite, 0))
        defer { withNetCDFLock(H5Fclose(file)) }
        switch self {
        case .externalLink:
            guard withNetCDFLock(H5Lcreate_external(other, "/VX", file, "VX", 0, 0)) >= 0 else {
                throw PlainHDF5Writer.Refused()
            }
        case .deadLink:
            guard withNetCDFLock(H5Lcreate_soft("/nothing", file, "VX", 0, 0)) >= 0 else {
                throw PlainHDF5Writer.Refused()
            }
        case .groupInItself:
            guard withNetCDFLock(H5Lcreate_hard(file, "a", file, "a/b", 0, 0)) >= 0 else {
                throw PlainHDF5Writer.Refused()
            }
        case .deepGroups: break
        case .externalStorage:
            let creation = withNetCDFLock(H5Pcreate(H5P_CLS_DATASET_CREATE_ID_g))
            withNetCDFLock(H5Pset_external(creation, other, 0, 8000))
            let space = withNetCDFLock(H5Screate_simple(1, [1000], nil))
            let set = withNetCDFLock(H5Dcreate2(file, "VX", H5T_IEEE_F64LE_g, space, 0, creation, 0))
            guard set >= 0 else { throw PlainHDF5Writer.Refused() }
            withNetCDFLock(H5Dclose(set))
            withNetCDFLock(H5Sclose(space))
            withNetCDFLock(H5Pclose(creation))
        }
    }
}
