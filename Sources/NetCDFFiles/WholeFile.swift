import Glibc

extension AtomicFile {
    /// Writes a complete file under its name; on failure, an earlier file is unchanged.
    ///
    /// - Parameter what: the kind of file, for the message.
    public static func write(_ bytes: [UInt8], to path: String, as what: String) throws(NetCDFError) {
        let pending = try AtomicFile(replacing: path)
        let handle = open(pending.temporaryPath, O_WRONLY | O_TRUNC | O_CLOEXEC)
        var written = 0
        while handle >= 0, written < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(handle, $0.baseAddress! + written, bytes.count - written) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            written += count
        }
        let reason = String(cString: strerror(errno))
        if handle >= 0 { close(handle) }
        guard handle >= 0, written == bytes.count else {
            pending.discard()
            throw .writeFailed(path: path, what: what, reason: reason)
        }
        try pending.commit()
    }
}
