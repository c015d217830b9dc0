import CKernels
import Fields
import Glibc

/// A seal is 24 bytes behind the end of a NetCDF-4 file (libraries ignore what follows HDF5's own end): a mark, the
/// length of the file and a CRC-32C of its bytes. HDF5 notices neither a flipped bit in contiguous data nor a file that
/// was never finished; the seal, written last, tells both. Byte ranges that carry checksums of their own are left out.
public enum Seal {
    private static let mark: [UInt8] = Array("PINNSEAL".utf8)
    public static let byteCount = 24

    /// Appends the seal to a closed file.
    public static func close(_ path: String, leavingOut ranges: [Range<Int>] = []) throws(NetCDFError) {
        let handle = open(path, O_RDWR | O_CLOEXEC)
        guard handle >= 0 else { throw .writeFailed(path: path, what: "the seal", reason: String(cString: strerror(errno))) }
        defer { Glibc.close(handle) }
        let length = Int(lseek(handle, 0, SEEK_END))
        let checksum = try self.checksum(handle, length: length, leavingOut: ranges, path: path)
        var bytes = mark
        withUnsafeBytes(of: UInt64(length).littleEndian) { bytes += Array($0) }
        withUnsafeBytes(of: UInt64(checksum).littleEndian) { bytes += Array($0) }
        guard pwrite(handle, bytes, bytes.count, off_t(length)) == bytes.count else {
            throw .writeFailed(path: path, what: "the seal", reason: String(cString: strerror(errno)))
        }
    }

    /// Checks every byte of a sealed file outside of the ranges.
    public static func verify(_ path: String, leavingOut ranges: [Range<Int>] = []) throws(NetCDFError) {
        let handle = open(path, O_RDONLY | O_CLOEXEC)
        guard handle >= 0 else {
            throw errno == ENOENT
                ? .noSuchFile(path: path)
                : .readFailed(path: path, what: "the file", reason: String(cString: strerror(errno)))
        }
        defer { Glibc.close(handle) }
        let length = Int(lseek(handle, 0, SEEK_END)) - byteCount
        guard length > 0 else { throw .damaged(path: path, reason: "too short to be complete") }
        let seal = try readBytes(handle, at: length, count: byteCount, path: path)
        let number = { (at: Int) in seal[at..<at + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
        guard Array(seal[0..<8]) == mark, number(8) == UInt64(length) else {
            throw .damaged(path: path, reason: "no seal at its end: it was cut short, was never finished or was changed by another tool")
        }
        let found = try checksum(handle, length: length, leavingOut: ranges, path: path)
        guard number(16) == UInt64(found) else {
            throw .damaged(path: path, reason: "its checksum does not fit its bytes")
        }
    }

    private static func checksum(
        _ handle: Int32, length: Int, leavingOut ranges: [Range<Int>], path: String
    ) throws(NetCDFError) -> UInt32 {
        var checksum: UInt32 = 0
        var position = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) + [length..<length] {
            while position < min(range.lowerBound, length) {
                let count = min(1 << 20, min(range.lowerBound, length) - position)
                let bytes = try readBytes(handle, at: position, count: count, path: path)
                checksum = crc32c(checksum, bytes, bytes.count)
                position += count
            }
            position = max(position, range.upperBound)
        }
        return checksum
    }

    private static func readBytes(_ handle: Int32, at offset: Int, count: Int, path: String) throws(NetCDFError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = bytes.withUnsafeMutableBytes { pread(handle, $0.baseAddress! + done, count - done, off_t(offset + done)) }
            if got < 0 && errno == EINTR { continue }
            guard got > 0 else {
                throw .readFailed(path: path, what: "at byte \(offset + done)", reason: got == 0 ? "the file ends" : String(cString: strerror(errno)))
            }
            done += got
        }
        return bytes
    }
}
