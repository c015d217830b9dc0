import Glibc

/// The length of a file, before it is opened: opening a pipe would wait for its other end.
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

/// What stands under a name that should be a file's; nil for a regular file.
package func kindOfSpecialFile(_ info: stat) -> String? {
    switch info.st_mode & S_IFMT {
    case S_IFREG: nil
    case S_IFDIR: "a folder"
    case S_IFIFO: "a pipe"
    default: "a device or a socket"
    }
}

/// What a file is that the NetCDF library does not know: downloads go wrong in a few ways.
enum FileKind {
    /// In words; nil where its first bytes tell nothing.
    static func notNetCDF(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = fread(&bytes, 1, bytes.count, file)
        guard count > 0 else { return "an empty file; get it again" }
        let start = String(decoding: bytes.prefix(count), as: UTF8.self).lowercased().drop { $0.isWhitespace }
        if start.hasPrefix("<!doctype html") || start.hasPrefix("<html") {
            return "a web page, as servers send where a login is needed; log in and download the file again"
        }
        if bytes.starts(with: [0x1f, 0x8b]) { return "compressed by gzip; unpack it with gunzip" }
        if bytes.starts(with: Array("PK".utf8)) { return "a zip archive; unpack it with unzip" }
        if isMATLAB4(bytes.prefix(count)) {
            return "a MATLAB file of version 4; save it again in MATLAB with -v7"
        }
        if bytes.starts(with: [0x89] + Array("HDF".utf8)) {
            return "an HDF5 file that is damaged or cut short; get it again"
        }
        return nil
    }

    /// Version 4 has no mark: five numbers begin each array (MAT-File Format, "Level 4"), of which those of a first array that is
    /// real and in a usual order of bytes leave little to chance.
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
