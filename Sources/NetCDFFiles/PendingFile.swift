import Fields
import Glibc

/// An output that appears under its name only when it is whole: it is written as NAME.partial, brought to the disk,
/// renamed, and the folder brought to the disk. An unfinished NetCDF-4 file opens without error, so nothing less will do.
public struct PendingFile: Sendable {
    public let finalPath: String
    public var temporaryPath: String { finalPath + ".partial" }

    /// Removes what an interrupted run left, and says whether there was something.
    @discardableResult
    public static func removeLeftover(of finalPath: String) -> Bool {
        unlink(finalPath + ".partial") == 0
    }

    public init(replacing finalPath: String) throws(NetCDFError) {
        self.finalPath = finalPath
        // Renaming would put a file in the place of a device (/dev/full) and fails, after all the work, on a folder.
        var info = stat()
        if stat(finalPath, &info) == 0, info.st_mode & S_IFMT != S_IFREG {
            throw .writeFailed(
                path: finalPath, what: "the file", reason: "something that is no regular file has that name")
        }
        PendingFile.removeLeftover(of: finalPath)
        // Whether the folder can be written is told before any work, not after it.
        let handle = open(temporaryPath, O_WRONLY | O_CREAT | O_CLOEXEC, 0o666)
        guard handle >= 0 else { throw PendingFile.failure("the file", path: finalPath) }
        Glibc.close(handle)
    }

    /// The bytes that the file system still has room for; nil where it does not tell.
    public static func freeBytes(beside path: String) -> Int? {
        var info = statvfs()
        guard statvfs(folder(of: path), &info) == 0 else { return nil }
        return Int(clamping: UInt64(info.f_bavail).multipliedReportingOverflow(by: UInt64(info.f_frsize)).partialValue)
    }

    /// Brings the written file to the disk under its name. Where that fails, the partial file is removed.
    public func commit() throws(NetCDFError) {
        do throws(NetCDFError) {
            try PendingFile.synchronize(temporaryPath, flags: O_RDWR, reportedAs: finalPath)
            guard rename(temporaryPath, finalPath) == 0 else { throw PendingFile.failure("its name", path: finalPath) }
            try PendingFile.synchronize(
                PendingFile.folder(of: finalPath), flags: O_RDONLY | O_DIRECTORY, reportedAs: finalPath)
        } catch {
            discard()
            throw error
        }
    }

    public func discard() {
        unlink(temporaryPath)
    }

    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func synchronize(_ path: String, flags: Int32, reportedAs name: String) throws(NetCDFError) {
        let handle = open(path, flags | O_CLOEXEC)
        guard handle >= 0 else { throw failure("the file", path: name) }
        defer { Glibc.close(handle) }
        guard fsync(handle) == 0 else { throw failure("to the disk", path: name) }
    }

    private static func failure(_ what: String, path: String) -> NetCDFError {
        .writeFailed(path: path, what: what, reason: String(cString: strerror(errno)))
    }
}
