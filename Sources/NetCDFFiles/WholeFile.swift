import CSystem
import Glibc

extension AtomicFile {
    /// Writes a file whole under its name. Where `write` throws, which is given the path to write to until then, an earlier file
    /// is unchanged.
    public static func write<Result>(
        to path: String, _ write: (_ temporaryPath: String) throws -> Result
    ) throws -> Result {
        let pending = try AtomicFile(replacing: path)
        defer { pending.discard() }
        let result = try write(pending.temporaryPath)
        try pending.commit()
        return result
    }

    /// Writes the bytes of a file.
    ///
    /// - Parameter what: the kind of file, for the message.
    public static func write(_ bytes: [UInt8], to path: String, as what: String) throws {
        try write(to: path) { temporaryPath in
            let handle = open(temporaryPath, O_WRONLY | O_TRUNC | O_CLOEXEC)
            defer { close(handle) }
            guard writeAll(bytes, to: handle) else {
                throw NetCDFError.writeFailed(path: path, what: what, reason: String(cString: strerror(errno)))
            }
        }
    }
}

/// Writes all bytes to an open file; false, with errno, where that fails.
package func writeAll(_ bytes: [UInt8], to handle: Int32) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(handle, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return false }
        rest = rest.dropFirst(count)
    }
    return true
}

extension NetCDFFile {
    /// Writes a new NetCDF file and closes it.
    ///
    /// - Parameter bytes: that it takes at most. With them, a full disk is an error before anything is written: libhdf5 can crash
    ///   of a write that fails.
    public static func create(_ path: String, reserving bytes: Int = 0, _ write: (NetCDFFile) throws -> Void) throws {
        try reserveRoom(bytes, in: path)
        let file = try NetCDFFile(creating: path)
        // Creating it has given the room back.
        try reserveRoom(bytes, in: path)
        try write(file)
        try file.close()
        if bytes > 0 { file_room_trim(path) }
    }

    private static func reserveRoom(_ bytes: Int, in path: String) throws(NetCDFError) {
        guard bytes > 0, file_room_reserve(path, bytes) != 0 else { return }
        throw .writeFailed(path: path, what: "the file", reason: String(cString: strerror(errno)))
    }
}
