import CHDF5
import Synchronization

/// Neither netCDF-C nor HDF5 is thread-safe: both keep tables of what is open, so that even calls about different files
/// may not overlap. Every call goes through this one lock; a file itself is still used by one thread at a time.
@discardableResult
func inLibrary<Status: BitwiseCopyable & Sendable>(_ call: @autoclosure () -> Status) -> Status {
    libraryLock.withLock { _ in
        chdf5_silence()
        return call()
    }
}

private let libraryLock = Mutex(())
