import CSystem
import Glibc

/// A run of a store's bytes in memory: mapped read-only for as long as the window lives, or, where that is not possible, read.
///
/// A mapped page that cannot be read (the file was cut short, the disk fails) reads as zeros and is remembered
/// (CSystem/file_windows.h): `requireReadable()` finds it.
final class FileWindow: @unchecked Sendable {
    // Unchecked: nothing is written to the memory after init.
    let file: StoreFile
    /// Where the bytes lie in the file.
    let range: Range<Int>
    let bytes: UnsafeRawBufferPointer
    /// The mapped pages and their slot; nil: the bytes were read.
    private let map: (pages: UnsafeMutableRawBufferPointer, slot: Int32)?

    static let pageBytes = Int(sysconf(Int32(_SC_PAGESIZE)))

    /// nil where the system refuses: too many mappings, too little address space.
    init?(mapping range: Range<Int>, of file: StoreFile, _ handle: Int32) {
        let start = range.lowerBound / FileWindow.pageBytes * FileWindow.pageBytes
        let count = range.upperBound - start
        guard let begin = mmap(nil, count, PROT_READ, MAP_SHARED, handle, off_t(start)), begin != MAP_FAILED else {
            return nil
        }
        let slot = file_window_register(begin, count)
        guard slot >= 0 else {
            munmap(begin, count)
            return nil
        }
        // Without it, pages come one fault at a time: 1.4 instead of 24 million points a second in a 48 MB cgroup.
        madvise(begin, count, MADV_WILLNEED)
        self.file = file
        self.range = range
        map = (UnsafeMutableRawBufferPointer(start: begin, count: count), slot)
        bytes = UnsafeRawBufferPointer(start: begin + (range.lowerBound - start), count: range.count)
    }

    init(reading range: Range<Int>, of file: StoreFile) throws {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: range.count, alignment: 64)
        do {
            try file.read(at: range.lowerBound, into: memory)
        } catch {
            memory.deallocate()
            throw error
        }
        self.file = file
        self.range = range
        map = nil
        bytes = UnsafeRawBufferPointer(memory)
    }

    deinit {
        guard let map else { return bytes.deallocate() }
        file_window_unregister(map.slot)
        munmap(map.pages.baseAddress!, map.pages.count)
    }

    /// Whether the bytes are the file's own, which others may change.
    var isMapped: Bool { map != nil }

    /// Whether a page was found that cannot be read.
    var hasFault: Bool { map.map { file_window_fault($0.slot) != nil } ?? false }

    /// Takes the pages that hold no byte of a part out of the process's memory.
    func drop(allBut part: Range<Int>) {
        guard let map else { return }
        let (begin, page) = (map.pages.baseAddress!, FileWindow.pageBytes)
        let offset = bytes.baseAddress! - UnsafeRawPointer(begin)
        let start = (offset + part.lowerBound) / page * page
        let end = min((offset + part.upperBound + page - 1) / page * page, map.pages.count)
        madvise(begin, start, MADV_DONTNEED)
        madvise(begin + end, map.pages.count - end, MADV_DONTNEED)
    }

    /// Throws where the file no longer has the window, or a page of it could not be read.
    func requireReadable() throws {
        let size = file.byteCount
        guard size >= range.upperBound else {
            throw StoreError.readFailed(path: file.path, byte: size, reason: StoreFile.ended)
        }
        guard let map, let fault = file_window_fault(map.slot) else { return }
        let byte = range.upperBound - map.pages.count + (fault - UnsafeRawPointer(map.pages.baseAddress!))
        // Reading it again says why; it may succeed, but the window has zeros.
        var again: UInt8 = 0
        try withUnsafeMutableBytes(of: &again) { try file.read(at: byte, into: $0) }
        throw StoreError.readFailed(path: file.path, byte: byte, reason: String(cString: strerror(EIO)))
    }
}
