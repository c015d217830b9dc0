import CSystem
import Fields
import Glibc
import Synchronization

/// An output file that appears under its name only when complete: it is written as NAME.partial, synchronised to the disk and
/// renamed, and the folder is synchronised. Nothing less is safe, because an unfinished NetCDF-4 file opens without error.
///
/// Only one process writes it at a time: the partial file is locked until it is renamed, with an open-file-description lock,
/// because libhdf5 takes locks of the other kinds on the same file.
public final class AtomicFile: Sendable {
    public let finalPath: String
    public var temporaryPath: String { finalPath + ".partial" }
    /// The descriptor that holds the lock; -1 once the file is committed or discarded.
    private let lock: Mutex<Int32>

    /// Removes the partial file of an interrupted run, unless another process is writing it.
    ///
    /// - Returns: whether there was one.
    @discardableResult
    public static func removeLeftover(of finalPath: String) -> Bool {
        let handle = open(finalPath + ".partial", O_RDWR | O_CLOEXEC)
        guard handle >= 0 else { return false }
        defer { Glibc.close(handle) }
        return open_file_lock(handle) == 0 && unlink(finalPath + ".partial") == 0
    }

    public init(replacing finalPath: String) throws(NetCDFError) {
        self.finalPath = finalPath
        guard !finalPath.isEmpty else {
            throw .writeFailed(path: "''", what: "the file", reason: "the file name is empty")
        }
        // Renaming would replace a device (/dev/full) by a file, and would fail on a folder after all the work.
        var info = stat()
        if stat(finalPath, &info) == 0, info.st_mode & S_IFMT != S_IFREG {
            throw .writeFailed(
                path: finalPath, what: "the file", reason: "the name belongs to something other than a regular file")
        }
        // An unwritable folder is reported before any work.
        cleanup_files_hold()
        defer { cleanup_files_release() }
        lock = Mutex(try AtomicFile.lockedFile(finalPath + ".partial", reportedAs: finalPath))
        cleanup_file_add(temporaryPath)
    }

    deinit { discard() }

    /// Opens a new or left-over file and locks it for this process.
    private static func lockedFile(_ path: String, reportedAs name: String) throws(NetCDFError) -> Int32 {
        while true {
            let handle = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
            guard handle >= 0 else { throw failure("the file", path: name) }
            guard open_file_lock(handle) == 0 else {
                let code = errno
                Glibc.close(handle)
                if code == EAGAIN || code == EACCES { throw .beingWritten(path: name) }
                // The file system has no such locks: continue without protection.
                return open(path, O_RDWR | O_CLOEXEC)
            }
            // Its previous writer may have renamed it between open and lock.
            var mine = stat()
            var named = stat()
            if fstat(handle, &mine) == 0, stat(path, &named) == 0, mine.st_ino == named.st_ino { return handle }
            Glibc.close(handle)
        }
    }

    /// The free bytes of the file system of a path; nil where unknown.
    public static func freeBytes(beside path: String) -> Int? {
        var info = statvfs()
        guard statvfs(folder(of: path), &info) == 0 else { return nil }
        return Int(clamping: UInt64(info.f_bavail).multipliedReportingOverflow(by: UInt64(info.f_frsize)).partialValue)
    }

    /// Synchronises the file to the disk and renames it. On failure, the partial file is removed.
    public func commit() throws(NetCDFError) {
        do throws(NetCDFError) {
            try AtomicFile.synchronize(temporaryPath, flags: O_RDWR, reportedAs: finalPath)
            guard rename(temporaryPath, finalPath) == 0 else { throw AtomicFile.failure("its name", path: finalPath) }
            release()
        } catch {
            discard()
            throw error
        }
        do throws(NetCDFError) {
            try AtomicFile.synchronize(
                AtomicFile.folder(of: finalPath), flags: O_RDONLY | O_DIRECTORY, reportedAs: finalPath)
        } catch {
            guard case .writeFailed(_, _, let reason) = error else { throw error }
            throw .notSynchronized(path: finalPath, reason: reason)
        }
    }

    /// Removes the partial file; does nothing after a commit.
    public func discard() {
        lock.withLock { handle in
            guard handle >= 0 else { return }
            unlink(temporaryPath)
            cleanup_file_remove(temporaryPath)
            Glibc.close(handle)
            handle = -1
        }
    }

    private func release() {
        lock.withLock { handle in
            cleanup_file_remove(temporaryPath)
            if handle >= 0 { Glibc.close(handle) }
            handle = -1
        }
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
