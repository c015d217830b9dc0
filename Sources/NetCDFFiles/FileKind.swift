import Glibc

/// What a file is that the NetCDF library does not know: downloads go wrong in a few ways.
enum FileKind {
    /// In words; nil where its first bytes tell nothing.
    static func notNetCDF(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = fread(&bytes, 1, bytes.count, file)
        guard count > 0 else { return "an empty file" }
        let start = String(decoding: bytes.prefix(count), as: UTF8.self).lowercased().drop { $0.isWhitespace }
        if start.hasPrefix("<!doctype html") || start.hasPrefix("<html") {
            return "a web page, as servers send where a login is needed; log in and download the file again"
        }
        if bytes.starts(with: [0x1f, 0x8b]) { return "compressed by gzip; unpack it with gunzip" }
        if bytes.starts(with: Array("PK".utf8)) { return "a zip archive; unpack it with unzip" }
        if bytes.starts(with: [0x89] + Array("HDF".utf8)) { return "an HDF5 file that is damaged or cut short" }
        return nil
    }
}
