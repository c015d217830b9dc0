import Glibc

/// The length of a regular file, checked before opening it: opening a pipe would block.
@discardableResult
package func regularFileBytes(_ path: String) throws(NetCDFError) -> Int {
    var info = stat()
    guard stat(path, &info) == 0 else {
        throw errno == ENOENT || errno == ENOTDIR
            ? .noSuchFile(path: path) : .notReadable(path: path, reason: String(cString: strerror(errno)))
    }
    if let kind = kindOfSpecialFile(info) { throw .notAFile(path: path, kind: kind) }
    return Int(info.st_size)
}

/// The kind of a special file; nil for a regular file.
package func kindOfSpecialFile(_ info: stat) -> String? {
    switch info.st_mode & S_IFMT {
    case S_IFREG: nil
    case S_IFDIR: "a folder"
    case S_IFIFO: "a pipe"
    default: "a device or a socket"
    }
}

/// The first bytes of a regular file, fewer where it is shorter; nil, with errno, where it cannot be read.
package func firstBytes(of path: String, _ count: Int) -> [UInt8]? {
    var info = stat()
    guard stat(path, &info) == 0, kindOfSpecialFile(info) == nil, let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    errno = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { bytes, read in
        read = fread(bytes.baseAddress, 1, count, file)
    }
    guard ferror(file) == 0 else {
        if errno == 0 { errno = EIO }
        return nil
    }
    return bytes
}

/// Recognises files that are not NetCDF, from common mishaps with downloads.
enum FileKind {
    /// What the file is, in words; nil where its first bytes do not tell.
    static func notNetCDF(_ path: String) -> String? {
        guard let bytes = firstBytes(of: path, 256) else { return nil }
        guard !bytes.isEmpty else { return "an empty file; download it again" }
        let start = String(decoding: bytes, as: UTF8.self).lowercased().drop { $0.isWhitespace }
        if start.hasPrefix("<!doctype html") || start.hasPrefix("<html") {
            return "a web page, as servers send when a login is needed; log in and download the file again"
        }
        if bytes.starts(with: [0x1f, 0x8b]) { return "compressed by gzip; unpack it with gunzip" }
        if bytes.starts(with: Array("PK".utf8)) { return "a zip archive; unpack it with unzip" }
        if isMATLAB4(bytes[...]) {
            return "a MATLAB file of version 4; save it again in MATLAB with -v7"
        }
        if bytes.starts(with: [0x89] + Array("HDF".utf8)) {
            return "an HDF5 file that is damaged or truncated; download it again"
        }
        return nil
    }

    /// Version 4 has no signature: each array begins with five numbers (MAT-File Format, "Level 4"), and those of a real first array
    /// in a usual byte order are hardly found in another file by chance.
    private static func isMATLAB4(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.count > 20 else { return false }
        let numbers = stride(from: 0, to: 20, by: 4).map { place in
            bytes[place..<place + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        let name = bytes.dropFirst(20).prefix { $0 != 0 }
        let (order, precision, kind) = (numbers[0] / 1000, numbers[0] / 10 % 10, numbers[0] % 10)
        return order == 0 && numbers[0] / 100 % 10 == 0 && precision < 6 && kind < 3
            && numbers[1] > 0 && numbers[2] > 0 && numbers[3] < 2 && numbers[4] == name.count + 1
            && name.count > 0 && name.allSatisfy { $0 == UInt8(ascii: "_") || ($0 > 47 && $0 < 123) }
    }
}
