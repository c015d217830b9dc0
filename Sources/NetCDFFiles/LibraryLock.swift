import CHDF5
import CSystem
import Fields
import Glibc
import Synchronization

/// Calls a library under a lock. Neither netCDF-C nor HDF5 is thread-safe: both keep global tables, so that not even calls for
/// different files may overlap. A single file must still be used by one thread at a time.
///
/// - Parameter bytes: memory that the call needs for its values; using over a gigabyte more counts as damage to the file.
@discardableResult
package func withNetCDFLock<Status: BitwiseCopyable & Sendable>(
    allowing bytes: Int = 0, _ call: @autoclosure () -> Status
) -> Status {
    libraryLock.withLock { _ in
        crash_guard_enter(bytes)
        defer { crash_guard_leave() }
        // The first call starts libhdf5, which needs memory for that.
        chdf5_silence()
        return call()
    }
}

private let libraryLock = {
    configureLibraries()
    return Mutex(())
}()

/// Switches off HDF5's file locks, unless the user's environment says otherwise. They are not needed here (files appear when
/// complete, `AtomicFile` and `RunDirectory` have their own locks), and they fail on file systems without locks, such as NFS without
/// its daemon, and while a process that is starting another command shares the descriptor of a written file.
///
/// Neither library reads files that the user did not name: netCDF no .ncrc, .daprc or .dodsrc of the working or home directory, which
/// may be a pipe, and HDF5 no plugins, which are programs, but from a folder in HDF5_PLUGIN_PATH.
///
/// Called once, before the first call of HDF5; not before `main`, because a static Swift runtime finds its arguments next to the
/// original environment, which this replaces.
private func configureLibraries() {
    _ = CommandLine.arguments
    setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0)
    setenv("NCRCENV_IGNORE", "1", 1)
    if getenv("HDF5_PLUGIN_PATH") == nil { setenv("HDF5_PLUGIN_PRELOAD", "::", 1) }
}

/// Both libraries crash on some damaged files. Products are read by another process (Ingest's `ProductReader`). For what a command
/// reads itself (stores, checkpoints, polygons, configurations) and writes, `installCrashHandler()` turns a crash into a line that
/// names the file, and the exit status of a damaged file. Call it once, from the main thread.
public enum LibraryCrash {
    public static func installCrashHandler() { crash_guard_install() }

    /// Makes signals that end the process remove partial files first (`AtomicFile`).
    public static func installFileCleanup() { install_file_cleanup() }

    /// Parses the content of a file with a library that may crash on it, such as toml++ on some brackets.
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

    /// Sets the file that the next calls read, for the message.
    package static func concerns(reading path: String) {
        crash_guard_context(
            "error: \(path): so damaged that the library that reads it crashed; get it again\n", 65, nil)
    }

    /// How the message of a crash while a file is written ends.
    public static var advice: String {
        get { adviceText.withLock { $0 } }
        set { adviceText.withLock { $0 = newValue } }
    }
    private static let adviceText = Mutex("check whether the disk is full")

    static func concerns(writing path: String) {
        crash_guard_context(
            "error: \(path): writing failed, and then the NetCDF library crashed; \(advice)\n", 74, path)
    }
}
