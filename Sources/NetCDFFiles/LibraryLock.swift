import CHDF5
import Glibc

/// netCDF-C and HDF5 are not thread-safe, also not for different files: one call at a time in the whole process.
/// Recursive, so that operations may be made of others.
private final class LibraryLock: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

    init() {
        var attributes = pthread_mutexattr_t()
        pthread_mutexattr_init(&attributes)
        pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_RECURSIVE))
        pthread_mutex_init(mutex, &attributes)
    }

    func acquire() { pthread_mutex_lock(mutex) }
    func release() { pthread_mutex_unlock(mutex) }
}

private let libraryLock = LibraryLock()

/// Runs calls of the libraries alone.
func withLibrary<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
    libraryLock.acquire()
    defer { libraryLock.release() }
    chdf5_quiet()
    return try body()
}
