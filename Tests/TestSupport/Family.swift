import Foundation

/// A process and all that it starts: they carry a mark in their environment. Foundation takes a process for running as long as one of them
/// does, so one that never ends would keep the tests for ever.
struct Family {
    private let name = UUID().uuidString
    var mark: [String: String] { ["PINN_TEST_FAMILY": name] }

    /// Processes that had not ended after the time that they were given.
    struct Unfinished: Error, CustomStringConvertible {
        let members: [String]
        var description: String { "still there, and killed: \(members.joined(separator: "; "))" }
    }

    func waitForEnd(of process: Process, within seconds: Double) throws {
        let end = ContinuousClock.now + .seconds(seconds)
        // In the run loop Foundation gives back what it keeps of a process, open files among it.
        while process.isRunning, ContinuousClock.now < end {
            if !RunLoop.current.run(mode: .default, before: Date() + 0.05) { usleep(2000) }
        }
        guard process.isRunning else { return }
        let found = members
        for member in found { kill(member.id, SIGKILL) }
        process.waitUntilExit()
        throw Unfinished(members: found.map(\.what))
    }

    /// Each with what it was called with, its state, and where in the kernel it waits.
    private var members: [(id: Int32, what: String)] {
        func text(_ id: Int32, _ file: String) -> String {
            let data = FileManager.default.contents(atPath: "/proc/\(id)/\(file)") ?? Data()
            return String(decoding: data, as: UTF8.self).replacingOccurrences(of: "\0", with: " ")
        }
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return processes.compactMap { Int32($0) }.filter { text($0, "environ").contains(name) }.map { id in
            let state = text(id, "status").split(separator: "\n").first { $0.hasPrefix("State") } ?? "gone"
            return (id, "\(id) \(text(id, "cmdline")) (\(state), in \(text(id, "wchan")))")
        }
    }
}
