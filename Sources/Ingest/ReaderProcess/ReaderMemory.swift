import CSystem
import Glibc

/// Memory shared by a command and its reader, for the values of one hyperslab: a socket would copy them twice. It has no name, so
/// nothing is left of it when both have ended, however they do.
final class ReaderMemory {
    let descriptor: Int32
    private(set) var values = UnsafeMutableBufferPointer<Double>(start: nil, count: 0)

    /// The most values that it can hold: a whole band of a field (`GridWindow.bands`), and no more than a batch system lets a file
    /// have (ulimit -f), as this is one to the kernel.
    static let maxCount: Int = {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
        return max(1, Int(min(limit.rlim_cur / 8, 1 << 24)))
    }()

    /// Memory that another process made.
    init(descriptor: Int32) { self.descriptor = descriptor }

    /// Makes memory without any room yet; its descriptor is -1 where the system refuses it.
    convenience init() {
        self.init(descriptor: reader_process_make_memory())
    }

    /// Gives room for at least `count` values, where the maker has not yet.
    func grow(to count: Int) -> Bool {
        count <= values.count || ftruncate(descriptor, count * MemoryLayout<Double>.stride) == 0 && map(count)
    }

    /// Maps the room that the maker has given.
    func map(_ count: Int) -> Bool {
        if count == values.count { return true }
        unmap()
        let bytes = count * MemoryLayout<Double>.stride
        let address = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        guard let address, address != MAP_FAILED else { return false }
        values = UnsafeMutableBufferPointer(start: address.assumingMemoryBound(to: Double.self), count: count)
        return true
    }

    private func unmap() {
        if !values.isEmpty { munmap(values.baseAddress, values.count * MemoryLayout<Double>.stride) }
        values = UnsafeMutableBufferPointer(start: nil, count: 0)
    }

    deinit {
        unmap()
        close(descriptor)
    }
}
