import Foundation
@preconcurrency import Glibc

/// Another process of this program, with other arguments and the same stderr.
///
/// Foundation's Process would put the child into its own process group, so that Ctrl-C would leave it running.
struct ChildProcess {
    private let process: pid_t
    private let pipe: Int32
    private let title: String

    init(arguments: [String], title: String) throws {
        self.title = title
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else { throw ChildProcess.failure(errno) }
        // The child has its own duplicate of this descriptor as stdout.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        var argv: [UnsafeMutablePointer<CChar>?] = (["pinn-bench"] + arguments).map { strdup($0) }
        defer { for text in argv { free(text) } }
        argv.append(nil)
        var process = pid_t()
        let status = posix_spawn(&process, "/proc/self/exe", &actions, nil, argv, environ)
        close(ends[1])
        guard status == 0 else {
            close(ends[0])
            throw ChildProcess.failure(status)
        }
        self.process = process
        pipe = ends[0]
    }

    /// Waits for the child and returns what it wrote to stdout. The child is terminated when `shouldStop` becomes true.
    func output(shouldStop: () -> Bool) throws -> Data {
        defer { close(pipe) }
        var bytes = Data()
        var buffer = [UInt8](repeating: 0, count: 4096)
        var isStopped = false
        while true {
            if shouldStop() && !isStopped {
                kill(process, SIGTERM)
                isStopped = true
            }
            var watched = pollfd(fd: pipe, events: Int16(POLLIN), revents: 0)
            // Polls for a stop request every 0.2 s.
            guard poll(&watched, 1, 200) > 0 else { continue }
            let got = read(pipe, &buffer, buffer.count)
            if got < 0 && errno == EINTR { continue }
            if got <= 0 { break }
            bytes.append(contentsOf: buffer[..<got])
        }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 && errno == EINTR {}
        // Ctrl-C reaches the child directly, as a member of the same process group.
        if isStopped || shouldStop() { throw BenchmarkStopped() }
        let signal = status & 0x7f
        guard signal == 0 else { throw BenchmarkError.rowKilled(title, signal: signal) }
        let code = status >> 8 & 0xff
        guard code == 0 else { throw BenchmarkError.rowFailed(title, status: code) }
        return bytes
    }

    private static func failure(_ code: Int32) -> BenchmarkError {
        .cannotStart(reason: String(cString: strerror(code)))
    }
}

/// Thrown when the user asked to stop.
public struct BenchmarkStopped: Error {}
