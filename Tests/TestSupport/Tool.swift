import Foundation

/// Runs a command as a user does: as a process, in a folder, with an exit status.
public struct Tool: Sendable {
    public struct Result: Sendable {
        public let status: Int32
        /// Whether the process was ended by a signal; then `status` is the signal's number.
        public let died: Bool
        public let output: String
        public let messages: String
    }

    public let path: String

    public init(path: String) { self.path = path }

    /// A command of this package, next to the test bundle; nil if it is not built.
    public static func built(_ name: String) -> Tool? {
        let folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        let candidates = [
            folder, folder.deletingLastPathComponent(), URL(fileURLWithPath: "\(Places.repository)/.build/release"),
        ]
        return candidates.map { $0.appendingPathComponent(name).path }
            .first { FileManager.default.isExecutableFile(atPath: $0) }.map { Tool(path: $0) }
    }

    /// A program of the system; nil if it is not installed.
    public static func installed(_ name: String) -> Tool? {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }.map { Tool(path: $0) }
    }

    /// A running process, and its messages so far.
    public struct Running {
        public let process: Process
        let messagesPath: String

        public var messages: String { (try? String(contentsOfFile: messagesPath, encoding: .utf8)) ?? "" }

        /// Waits until the condition holds or the process ends, for at most five minutes.
        public func wait(until condition: (Running) -> Bool) {
            let end = Date() + 300
            while process.isRunning, !condition(self), Date() < end { usleep(2000) }
        }

        public func send(_ signal: Int32) {
            if process.isRunning { kill(process.processIdentifier, signal) }
        }
    }

    /// Runs the program to its end. `interrupting` is called while it runs, for instance to send signals.
    ///
    /// - Parameter seconds: what is still there after these, a process that it started among it, is killed.
    /// - Throws: `Family.Unfinished` then.
    public func run(
        _ arguments: [String], in folder: String, environment: [String: String] = [:], within seconds: Double = 400,
        interrupting: (Running) -> Void = { _ in }
    ) throws -> Result {
        let family = Family()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
            .merging(family.mark) { $1 }
        // Files, not pipes, so that output of any length does not block.
        let name = "\(NSTemporaryDirectory())iceshelfpinn-\(UUID().uuidString)"
        for suffix in ["out", "err"] {
            guard FileManager.default.createFile(atPath: "\(name).\(suffix)", contents: nil) else {
                throw CocoaError(.fileWriteUnknown)
            }
        }
        defer {
            try? FileManager.default.removeItem(atPath: "\(name).out")
            try? FileManager.default.removeItem(atPath: "\(name).err")
        }
        let output = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(name).out"))
        let messages = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(name).err"))
        process.standardOutput = output
        process.standardError = messages
        process.standardInput = FileHandle.nullDevice
        defer {
            try? output.close()
            try? messages.close()
        }
        try process.run()
        interrupting(Running(process: process, messagesPath: "\(name).err"))
        try family.waitForEnd(of: process, within: seconds)
        return Result(
            status: process.terminationStatus, died: process.terminationReason == .uncaughtSignal,
            output: String(decoding: try Data(contentsOf: URL(fileURLWithPath: "\(name).out")), as: UTF8.self),
            messages: String(decoding: try Data(contentsOf: URL(fileURLWithPath: "\(name).err")), as: UTF8.self))
    }
}
