import CHDF5
import CSystem
import Fields
import Glibc
import Synchronization

/// Neither netCDF-C nor HDF5 is thread-safe: both keep tables of what is open, so that even calls about different files
/// may not overlap. Every call goes through this one lock; a file itself is still used by one thread at a time.
///
/// - Parameter bytes: memory that the call is known to need for its values; more than a gigabyte beyond it is damage.
@discardableResult
package func withNetCDFLock<Status: BitwiseCopyable & Sendable>(
    allowing bytes: Int = 0, _ call: @autoclosure () -> Status
) -> Status {
    libraryLock.withLock { _ in
        chdf5_silence()
        crash_guard_enter(bytes)
        defer { crash_guard_leave() }
        return call()
    }
}

private let libraryLock = {
    leaveFilesUnlocked()
    return Mutex(())
}()

/// HDF5 locks each file that it opens. Nothing here needs that (files appear when they are whole, `AtomicFile` and `RunDirectory`
/// have locks of their own), and it fails where a file system has no locks, as NFS without its daemon, and for as long as a
/// process that is about to start another command shares the descriptor of a file that was written. A user's own setting counts.
///
/// Said once, before HDF5 is first called; not before `main`: a static Swift runtime finds its arguments beside the
/// environment that the kernel gave, which this replaces.
private func leaveFilesUnlocked() {
    _ = CommandLine.arguments
    setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0)
}

/// Both libraries die of signals on some damaged files. Products are read by another process (Ingest's `ProductReader`); for
/// what a command reads itself (stores, checkpoints, polygons, configurations) and writes, after `installCrashHandler()`, which it calls
/// once from its main thread, that is one line that names the file, and the exit status that a damaged file has.
public enum LibraryCrash {
    public static func installCrashHandler() { crash_guard_install() }

    /// Signals that end the process at once leave no partial file behind (`AtomicFile`).
    public static func installFileCleanup() { install_file_cleanup() }

    /// What a library makes of a file's content, by code that may die of it as well (toml++ of some brackets).
    ///
    /// - Parameter path: the file, for the message.
    package static func guarded<Result>(reading path: String, _ parse: () throws -> Result) rethrows -> Result {
        try libraryLock.withLock { _ in
            concerns(reading: path)
            crash_guard_enter(0)
            defer { crash_guard_leave() }
            return try parse()
        }
    }

    /// The file that the calls to come are about.
    package static func concerns(reading path: String) {
        crash_guard_context(
            "error: \(path): so damaged that the library which reads it failed on it; get it again\n", 65, nil)
    }

    static func concerns(writing path: String) {
        crash_guard_context(
            "error: \(path): writing failed, and the NetCDF library failed after it; see whether the disk is full\n",
            74, path)
    }
}
