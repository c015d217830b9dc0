import Fields
import Foundation
import NetCDFFiles

/// The file that makes a folder a run's: its first line is the run's mark, the second says which process writes there. It is also the
/// lock of that process, until it ends.
///
/// Links are not followed, and what is no marker is neither locked nor written.
final class RunMarker {
    static let name = "pinn-run.lock"
    let path: String
    private let handle: Int32
    /// Whether this process made the file and has not marked it yet; it is removed then.
    private var isBlank: Bool

    /// Opens the marker of a folder; nil where there is none.
    init?(in folder: String, forReading: Bool = false) throws {
        path = "\(folder)/\(RunMarker.name)"
        isBlank = false
        // A pipe of that name would block a reader.
        handle = open(path, (forReading ? O_RDONLY | O_NONBLOCK : O_RDWR) | O_NOFOLLOW | O_CLOEXEC)
        guard handle >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            if errno == ELOOP { throw RunError.notAMarker(path: path, found: "it is a link") }
            throw forReading
                ? NetCDFError.notReadable(path: path, reason: String(cString: strerror(errno))) : failure("the lock")
        }
        var info = stat()
        guard fstat(handle, &info) == 0, info.st_mode & S_IFMT == S_IFREG else {
            throw RunError.notAMarker(path: path, found: "it is not a regular file")
        }
        // A backup with hard links would be written with it.
        guard forReading || info.st_nlink <= 1 else {
            throw RunError.notAMarker(
                path: path, found: "it has a second name, as files of backups with hard links have")
        }
        guard info.st_size == 0 || mark != nil else {
            throw RunError.notAMarker(path: path, found: "it does not begin with a run's mark")
        }
    }

    /// Makes the marker of a folder; nil where another process was faster.
    init?(creatingIn folder: String) throws {
        path = "\(folder)/\(RunMarker.name)"
        isBlank = true
        handle = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
        guard handle >= 0 else {
            if errno == EEXIST { return nil }
            throw failure("the lock")
        }
    }

    deinit {
        guard handle >= 0 else { return }
        if isBlank, isInPlace { unlink(path) }
        close(handle)
    }

    /// Whether the file is still the one of that name: a run's folder may be removed at any time.
    var isInPlace: Bool {
        var (mine, named) = (stat(), stat())
        return fstat(handle, &mine) == 0 && lstat(path, &named) == 0 && mine.st_ino == named.st_ino
            && mine.st_dev == named.st_dev
    }

    /// Locks the file for this process; throws where another holds it. It is tried for half a second: a process that is being
    /// started shares the lock of the one that starts it until its exec.
    func lock(run: String) throws {
        guard let code = RunMarker.lock(handle) else { return }
        guard code == EWOULDBLOCK else {
            throw RunError.lockFailed(path: path, reason: String(cString: strerror(code)))
        }
        isBlank = false
        throw RunError.held(run: run, owner: owner)
    }

    /// nil, or why the lock was not taken.
    static func lock(_ handle: Int32) -> Int32? {
        var code: Int32 = 0
        for _ in 0..<50 {
            if flock(handle, LOCK_EX | LOCK_NB) == 0 { return nil }
            code = errno
            guard code == EWOULDBLOCK || code == EINTR else { break }
            usleep(10_000)
        }
        return code
    }

    /// nil of a file that was made by a process which ended before it wrote there.
    var mark: RunMark? { lines.first.flatMap { RunMark(line: $0) } }

    /// Who holds the lock.
    var owner: String { lines.count > 1 ? String(lines[1]) : "which has just begun" }

    /// The process that holds the lock, if there is one.
    var otherOwner: String? { flock(handle, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK ? owner : nil }

    /// Writes whose the folder is, and that this process writes there. The mark goes over the one before without a moment in which there
    /// is none: a process can end at any time.
    func write(_ mark: RunMark) throws {
        let text = "\(mark.line)\n\(RunMarker.thisProcess)\n"
        guard pwrite(handle, text, text.utf8.count, 0) == text.utf8.count,
            ftruncate(handle, off_t(text.utf8.count)) == 0, fsync(handle) == 0
        else { throw failure("the lock") }
        isBlank = false
    }

    private var lines: [Substring] {
        var bytes = [UInt8](repeating: 0, count: 1024)
        let count = pread(handle, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: "\n")
    }

    /// Host, process, job and time, so that a user can find the process that holds a run.
    private static var thisProcess: String {
        let process = ProcessInfo.processInfo
        let job = process.environment["SLURM_JOB_ID"].map { ", Slurm job \($0)" } ?? ""
        let date = Date.now.formatted(.iso8601.dateTimeSeparator(.space))
        return "host \(process.hostName), process \(process.processIdentifier)\(job), since \(date)"
    }

    private func failure(_ what: String) -> NetCDFError {
        .writeFailed(path: path, what: what, reason: String(cString: strerror(errno)))
    }
}
