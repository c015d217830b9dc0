import CKernels
import Fields
import Glibc

/// A trailer after the end of a NetCDF-4 file, where libraries ignore it: the byte ranges that have checksums of their own and are
/// left out, their number, a magic word, the length of the file, and a CRC-32C of all other bytes and of the ranges. HDF5 detects
/// neither a flipped bit in contiguous data nor an unfinished file; the trailer, written last, detects both. It is checked
/// without any library, before one opens the file: libhdf5 crashes on some damaged headers.
public enum IntegrityTrailer {
    private static let magic: [UInt8] = Array("PINNSEAL".utf8)
    /// Size without the ranges, which take 16 bytes each.
    public static let byteCount = 32
    /// Far more than a store has columns.
    private static let maxRanges = 1000

    /// Appends the trailer to a closed file.
    public static func close(_ path: String, leavingOut ranges: [Range<Int>] = []) throws(NetCDFError) {
        let handle = open(path, O_RDWR | O_CLOEXEC)
        guard handle >= 0 else {
            throw .writeFailed(path: path, what: "its integrity trailer", reason: String(cString: strerror(errno)))
        }
        defer { Glibc.close(handle) }
        let length = Int(lseek(handle, 0, SEEK_END))
        let sorted = ranges.sorted { $0.lowerBound < $1.lowerBound }
        precondition(sorted.count <= maxRanges)
        let table = sorted.flatMap { bytes(of: $0.lowerBound) + bytes(of: $0.upperBound) }
        let checksum = try self.checksum(handle, length: length, leavingOut: sorted, table: table, path: path)
        let trailer = table + bytes(of: sorted.count) + magic + bytes(of: length) + bytes(of: Int(checksum))
        guard pwrite(handle, trailer, trailer.count, off_t(length)) == trailer.count else {
            throw .writeFailed(path: path, what: "its integrity trailer", reason: String(cString: strerror(errno)))
        }
    }

    /// Checks every byte of a file outside the ranges that its trailer lists.
    ///
    /// - Returns: these ranges.
    @discardableResult
    public static func verify(_ path: String) throws(NetCDFError) -> [Range<Int>] {
        try regularFileBytes(path)
        let handle = open(path, O_RDONLY | O_CLOEXEC)
        guard handle >= 0 else { throw .notReadable(path: path, reason: String(cString: strerror(errno))) }
        defer { Glibc.close(handle) }
        let end = Int(lseek(handle, 0, SEEK_END)) - byteCount
        guard end > 0 else { throw .noIntegrityTrailer(path: path) }
        let trailer = try readBytes(handle, at: end, count: byteCount, path: path)
        let count = number(trailer, at: 0)
        let length = number(trailer, at: 16)
        guard Array(trailer[8..<16]) == magic, count >= 0, count <= maxRanges, length == end - 16 * count, length > 0
        else {
            throw .noIntegrityTrailer(path: path)
        }
        let table = try readBytes(handle, at: length, count: 16 * count, path: path)
        var ranges: [Range<Int>] = []
        for place in stride(from: 0, to: table.count, by: 16) {
            let (lower, upper) = (number(table, at: place), number(table, at: place + 8))
            guard lower >= ranges.last?.upperBound ?? 0, upper >= lower, upper <= length else {
                throw .damaged(path: path, reason: "its integrity trailer is damaged")
            }
            ranges.append(lower..<upper)
        }
        let found = try checksum(handle, length: length, leavingOut: ranges, table: table, path: path)
        guard number(trailer, at: 24) == Int(found) else {
            throw .damaged(path: path, reason: "its checksum does not match its bytes")
        }
        return ranges
    }

    private static func bytes(of number: Int) -> [UInt8] {
        withUnsafeBytes(of: UInt64(number).littleEndian) { Array($0) }
    }

    /// May be negative in a damaged file.
    private static func number(_ bytes: [UInt8], at place: Int) -> Int {
        Int(truncatingIfNeeded: bytes[place..<place + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }

    private static func checksum(
        _ handle: Int32, length: Int, leavingOut ranges: [Range<Int>], table: [UInt8], path: String
    ) throws(NetCDFError) -> UInt32 {
        var checksum: UInt32 = 0
        var position = 0
        for range in ranges + [length..<length] {
            while position < min(range.lowerBound, length) {
                let count = min(1 << 20, min(range.lowerBound, length) - position)
                let bytes = try readBytes(handle, at: position, count: count, path: path)
                checksum = crc32c(checksum, bytes, bytes.count)
                position += count
            }
            position = max(position, range.upperBound)
        }
        return crc32c(checksum, table, table.count)
    }

    private static func readBytes(_ handle: Int32, at offset: Int, count: Int, path: String) throws(NetCDFError)
        -> [UInt8]
    {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = bytes.withUnsafeMutableBytes {
                pread(handle, $0.baseAddress! + done, count - done, off_t(offset + done))
            }
            if got < 0 && errno == EINTR { continue }
            let place = "at byte \(offset + done)"
            guard got >= 0 else {
                throw .diskFailed(path: path, what: place, reason: String(cString: strerror(errno)))
            }
            guard got > 0 else { throw .readFailed(path: path, what: place, reason: "the file ends") }
            done += got
        }
        return bytes
    }
}
