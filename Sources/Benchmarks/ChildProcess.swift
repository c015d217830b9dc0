import CSystem
import Fields
import Foundation
@preconcurrency import Glibc

/// Runs this program in another process, with other arguments and the same stderr.
///
/// Foundation's Process would put the child into its own process group, so that Ctrl-C would leave it running.
///
/// - Parameter check: polled; where it throws, the child is terminated.
/// - Returns: what the child wrote to stdout, and its status as of wait(2).
func outputOfChild(_ arguments: [String], check: () throws -> Void) throws -> (bytes: Data, status: Int32) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw cannotStart(errno) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(ends[0]) }
    let process = try start(arguments, output: ends[1])
    var status: Int32 = 0
    var bytes = Data()
    do {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            try check()
            var watched = pollfd(fd: ends[0], events: Int16(POLLIN), revents: 0)
            // Polls for a stop request every 0.2 s.
            guard poll(&watched, 1, 200) > 0 else { continue }
            let got = read(ends[0], &buffer, buffer.count)
            if got <= 0 { break }
            bytes.append(contentsOf: buffer[..<got])
        }
    } catch {
        kill(process, SIGTERM)
        // It may have been stopped.
        kill(process, SIGCONT)
        waitpid(process, &status, 0)
        throw error
    }
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    // Ctrl-C reaches the child directly, as a member of the same process group.
    try check()
    return (bytes, status)
}

/// In such a process: ends with the one that started it, whatever ends that.
public func followParent() {
    die_with_parent()
    // It may have ended before.
    var output = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
    if poll(&output, 1, 0) > 0, output.revents & Int16(POLLERR) != 0 { exit(0) }
}

/// Starts this program with a descriptor as its stdout, which is closed here.
private func start(_ arguments: [String], output: Int32) throws -> pid_t {
    defer { close(output) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
    var argv: [UnsafeMutablePointer<CChar>?] = (["pinn-bench"] + arguments).map { strdup($0) } + [nil]
    defer { for text in argv { free(text) } }
    var process = pid_t()
    let code = posix_spawn(&process, "/proc/self/exe", &actions, nil, &argv, environ)
    guard code == 0 else { throw cannotStart(code) }
    return process
}

private func cannotStart(_ code: Int32) -> PlainFailure {
    PlainFailure(.system, "cannot start a process for a row: \(String(cString: strerror(code)))")
}
