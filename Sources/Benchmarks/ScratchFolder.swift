import Fields
import Foundation
@preconcurrency import Glibc

/// A folder for temporary files. Of a process that is killed it is removed too: by a shell that waits for the end of a pipe, whose
/// other end this process and those that it starts hold, and nobody else.
public struct ScratchFolder {
    public let path: String

    public init(in parent: String) throws(PlainFailure) {
        var template = Array("\(parent)/pinn-bench-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw PlainFailure(
                .inputOutput, "\(parent): cannot write: \(String(cString: strerror(errno))); choose another path")
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        removeAtTheEnd()
    }

    public func remove() { try? FileManager.default.removeItem(atPath: path) }

    private func removeAtTheEnd() {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return }
        defer { close(ends[0]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO)
        for end in ends { posix_spawn_file_actions_addclose(&actions, end) }
        for output in [STDOUT_FILENO, STDERR_FILENO] {
            posix_spawn_file_actions_addopen(&actions, output, "/dev/null", O_WRONLY, 0)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A group of its own: what ends those of a job leaves the shell to its work.
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        let words = ["sh", "-c", "read -r end; rm -rf -- \"$0\"", path]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for text in arguments { free(text) } }
        var process = pid_t()
        // Without a shell, a killed process leaves its folder.
        _ = posix_spawn(&process, "/bin/sh", &actions, &attributes, &arguments, environ)
    }
}
