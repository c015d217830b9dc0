import CSystem
import Fields
import Foundation
import Synchronization

/// An output file that appears under its name only when complete: it is written as .NAME.NUMBER.partial next to it, synchronised to the
/// disk and renamed, and the folder is synchronised. Nothing less is safe, because an unfinished NetCDF-4 file opens without error.
///
/// The number is random, and the partial file must be new: nobody can lay a link of that name to another file. It is locked for as long
/// as it is written, with an open-file-description lock, because libhdf5 takes locks of the other kinds on the same file. So what
/// an interrupted process left is told apart from what another one is writing.
public final class AtomicFile: Sendable {
    public let finalPath: String
    public let temporaryPath: String
    /// What had the name when the work began; nil: nothing.
    private let replaced: FileState?
    /// The descriptor that holds the lock; -1 once the file is committed or discarded.
    private let lock: Mutex<Int32>

    /// Creates the partial file, and removes those of interrupted processes that wrote the same output.
    ///
    /// - Throws: where another process is writing it.
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
        replaced = FileState(finalPath)
        // An unwritable folder is reported before any work.
        cleanup_files_hold()
        defer { cleanup_files_release() }
        temporaryPath = PartialName.new(for: finalPath)
        let handle = open(temporaryPath, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
        guard handle >= 0 else { throw AtomicFile.failure("the file", path: finalPath) }
        cleanup_file_add(temporaryPath)
        lock = Mutex(handle)
        // Where the file system has no such locks, an output has no protection from a second writer.
        guard open_file_lock(handle) == 0 else { return }
        let folder = AtomicFile.folder(of: finalPath)
        let (own, name) = (PartialName.last(of: temporaryPath), PartialName.last(of: finalPath))
        let others = AtomicFile.partialFiles(in: folder) { $0 == name }
        guard others.allSatisfy({ $0 == own || AtomicFile.removeUnlocked($0, in: folder) }) else {
            discard()
            throw .beingWritten(path: finalPath)
        }
    }

    deinit { discard() }

    /// Synchronises the file to the disk and renames it. On failure, the partial file is removed.
    public func commit() throws(NetCDFError) {
        do throws(NetCDFError) {
            guard AtomicFile.synchronize(temporaryPath, O_RDWR) else {
                throw AtomicFile.failure("to the disk", path: finalPath)
            }
            let present = FileState(finalPath)
            guard present == nil || present == replaced else {
                throw .writeFailed(
                    path: finalPath, what: "the file", reason: "something else has got this name since the work began")
            }
            guard repeated({ rename(temporaryPath, finalPath) }) == 0 else {
                throw AtomicFile.failure("its name", path: finalPath)
            }
        } catch {
            discard()
            throw error
        }
        release()
        guard AtomicFile.synchronize(AtomicFile.folder(of: finalPath), O_RDONLY | O_DIRECTORY) else {
            throw .notDurable(path: finalPath, reason: String(cString: strerror(errno)))
        }
    }

    /// Removes the partial file; does nothing after a commit.
    public func discard() {
        if lock.withLock({ $0 >= 0 }) { unlink(temporaryPath) }
        release()
    }

    private func release() {
        lock.withLock { handle in
            guard handle >= 0 else { return }
            cleanup_file_remove(temporaryPath)
            close(handle)
            handle = -1
        }
    }

    // MARK: what interrupted processes left

    /// Called with the path of each partial file of an interrupted process that is removed.
    public static let report = Mutex<@Sendable (String) -> Void>({ _ in })

    /// Removes the partial files in a folder that nobody is writing.
    ///
    /// - Parameter isOurs: whether an output of that name is one of the caller's.
    public static func removeLeftovers(in folder: String, of isOurs: (_ name: String) -> Bool) {
        for name in partialFiles(in: folder, of: isOurs) { _ = removeUnlocked(name, in: folder) }
    }

    /// Names of the partial files in a folder.
    private static func partialFiles(in folder: String, of isOurs: (String) -> Bool) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        // A companion after its file, which says by its lock whether somebody writes it.
        return names.filter { PartialName.output(of: $0).map(isOurs) ?? false }.sorted()
    }

    /// Removes a partial file, or says that another process is writing it. What is no plain file with this name alone is not ours,
    /// and stays.
    private static func removeUnlocked(_ name: String, in folder: String) -> Bool {
        let path = folder == "." ? name : "\(folder)/\(name)"
        let handle = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard handle >= 0 else { return true }
        defer { close(handle) }
        var info = stat()
        guard fstat(handle, &info) == 0, info.st_mode & S_IFMT == S_IFREG, info.st_nlink == 1 else { return true }
        guard open_file_lock(handle) == 0 else { return ![EAGAIN, EACCES].contains(errno) }
        if unlink(path) == 0 { report.withLock { $0 }(path) }
        return true
    }

    // MARK: inside

    /// The free bytes of the file system of a path; nil where unknown.
    public static func freeBytes(beside path: String) -> Int? {
        var info = statvfs()
        guard statvfs(folder(of: path), &info) == 0 else { return nil }
        return Int(clamping: UInt64(info.f_bavail).multipliedReportingOverflow(by: UInt64(info.f_frsize)).partialValue)
    }

    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func synchronize(_ path: String, _ flags: Int32) -> Bool {
        let handle = repeated { open(path, flags | O_CLOEXEC) }
        guard handle >= 0 else { return false }
        defer { close(handle) }
        return repeated { fsync(handle) } == 0
    }

    private static func failure(_ what: String, path: String) -> NetCDFError {
        .writeFailed(path: path, what: what, reason: String(cString: strerror(errno)))
    }
}

/// Enough of what stands behind a name to notice that it has become something else.
package struct FileState: Equatable, Sendable {
    private let device: UInt64
    private let number: UInt64
    private let bytes: Int
    private let changed: [Int]
    package let isRegular: Bool

    /// nil where there is nothing. Links are not followed.
    package init?(_ path: String) {
        var info = stat()
        guard lstat(path, &info) == 0 else { return nil }
        (device, number, bytes) = (UInt64(info.st_dev), UInt64(info.st_ino), Int(info.st_size))
        changed = [Int(info.st_mtim.tv_sec), Int(info.st_mtim.tv_nsec)]
        isRegular = info.st_mode & S_IFMT == S_IFREG
    }
}

/// Names of partial files: ".NAME.0123456789abcdef.partial".
package enum PartialName {
    /// What GDAL adds to the name of a map for what it writes beside it.
    package static let companion = ".ovr.tmp"

    static func new(for output: String) -> String {
        let number = String(UInt64.random(in: .min ... .max) | 1 << 63, radix: 16)
        let name = last(of: output)
        return "\(output.dropLast(name.count)).\(name).\(number).partial"
    }

    static func last(of path: String) -> Substring {
        path.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
    }

    /// The output that a partial file belongs to, by its name or path; nil for other files.
    static func output(of partial: String) -> String? {
        let whole = last(of: partial)
        let name = whole.hasSuffix(companion) ? whole.dropLast(companion.count) : whole
        guard let inner = name.between(".", ".partial"), inner.count > 17, inner.suffix(16).isHexadecimal(count: 16),
            inner.dropLast(16).last == "."
        else { return nil }
        return partial.dropLast(whole.count) + String(inner.dropLast(17))
    }
}

/// The result of a call of the system, which is made again where a signal interrupted it.
func repeated(_ call: () -> Int32) -> Int32 {
    while true {
        let result = call()
        if result >= 0 || errno != EINTR { return result }
    }
}
