import CSystem
import Glibc

/// The open file of a store, read through windows. It stays open, so a store that is deleted, or replaced by renaming another file
/// onto its name, is read on as it was.
final class StoreFile: Sendable {
    let path: String
    /// Why windows are read into memory instead of mapped; nil: they are mapped.
    let reasonForReading: String?
    private let handle: Int32

    init(path: String, isMapped: Bool) throws {
        self.path = path
        handle = open(path, O_RDONLY | O_CLOEXEC)
        guard handle >= 0 else {
            throw StoreError.readFailed(path: path, byte: 0, reason: String(cString: strerror(errno)))
        }
        if !isMapped {
            reasonForReading = "as asked"
        } else if getenv("PINN_NO_MMAP").map({ String(cString: $0) }) == "1" {
            reasonForReading = "PINN_NO_MMAP is set"
        } else if let map = mmap(nil, FileWindow.pageBytes, PROT_READ, MAP_SHARED, handle, 0), map != MAP_FAILED {
            munmap(map, FileWindow.pageBytes)
            reasonForReading = nil
        } else {
            reasonForReading = "it cannot be mapped: \(String(cString: strerror(errno)))"
        }
    }

    deinit { close(handle) }

    var identity: FileIdentity { FileIdentity(handle: handle) }

    /// Bytes of the file as it is now.
    var byteCount: Int {
        var info = stat()
        return fstat(handle, &info) == 0 ? Int(info.st_size) : 0
    }

    /// A window of the file, mapped where possible (the system's limit on mappings counts as well), with its pages on their way.
    func window(_ range: Range<Int>) throws -> FileWindow {
        if reasonForReading == nil, let window = FileWindow(mapping: range, of: self, handle) { return window }
        return try FileWindow(reading: range, of: self)
    }

    /// Fills the buffer with the file's bytes from `offset` on.
    func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws {
        var done = 0
        while done < buffer.count {
            let got = pread(handle, buffer.baseAddress! + done, buffer.count - done, off_t(offset + done))
            if got < 0 && errno == EINTR { continue }
            guard got > 0 else {
                let reason = got == 0 ? StoreFile.ended : String(cString: strerror(errno))
                throw StoreError.readFailed(path: path, byte: offset + done, reason: reason)
            }
            done += got
        }
    }

    static let ended = "the file ends here"
}

/// Which file a name or a handle stands for.
struct FileIdentity: Equatable {
    private var device: dev_t = 0
    private var number: ino_t = 0

    init(path: String) {
        var info = stat()
        if stat(path, &info) == 0 { (device, number) = (info.st_dev, info.st_ino) }
    }

    init(handle: Int32) {
        var info = stat()
        if fstat(handle, &info) == 0 { (device, number) = (info.st_dev, info.st_ino) }
    }
}
