import Glibc

/// The kernel's copies of a file in memory: there (warm) or not (cold) decides how fast it is read.
package enum PageCache {
    /// Asks the kernel to forget a file that is on the disk already; anybody may. It keeps pages that others hold.
    package static func drop(_ path: String) {
        let handle = open(path, O_RDONLY | O_CLOEXEC)
        guard handle >= 0 else { return }
        posix_fadvise(handle, 0, 0, POSIX_FADV_DONTNEED)
        close(handle)
    }

    /// The part of a file that is in memory: what tells a cold reading from one that only was meant to be (a file system
    /// in memory, a page cache outside of this machine's kernel). Nil where it cannot be told.
    package static func residentShare(of path: String) -> Double? {
        let handle = open(path, O_RDONLY | O_CLOEXEC)
        guard handle >= 0 else { return nil }
        defer { close(handle) }
        var info = stat()
        guard fstat(handle, &info) == 0, info.st_size > 0 else { return nil }
        let size = Int(info.st_size)
        guard let map = mmap(nil, size, PROT_READ, MAP_SHARED, handle, 0), map != MAP_FAILED else { return nil }
        defer { munmap(map, size) }
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        var resident = [UInt8](repeating: 0, count: (size + page - 1) / page)
        guard mincore(map, size, &resident) == 0 else { return nil }
        return Double(resident.reduce(0) { $0 + Int($1 & 1) }) / Double(resident.count)
    }
}
