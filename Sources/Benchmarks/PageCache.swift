import Glibc

/// The kernel's page cache of a file: present (warm) or not (cold) decides how fast it is read.
package enum PageCache {
    /// Asks the kernel to drop the cached pages of a file that is on disk, which needs no privilege. Pages in use are kept.
    package static func drop(_ path: String) {
        let handle = open(path, O_RDONLY | O_CLOEXEC)
        guard handle >= 0 else { return }
        posix_fadvise(handle, 0, 0, POSIX_FADV_DONTNEED)
        close(handle)
    }

    /// The share of a file that is in memory, to verify that a reading is cold (not on a file system in memory, nor cached outside
    /// this machine's kernel). Nil if unknown.
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
