import Foundation

/// Calls of a command that fail, or at which it is killed: a library that is loaded into it (Faults/failing_calls.c), built by
/// the tests.
public struct Faults: Sendable {
    public enum Call: String, CaseIterable, Sendable {
        // In the order of `kinds` there.
        case allocate, open, read, write, synchronize, rename, map, close, thread, spawn
    }

    public enum Effect: Sendable, CustomStringConvertible {
        case error(Int32)
        case kill

        public var description: String {
            switch self {
            case .error(let code): String(cString: strerror(code))
            case .kill: "killed"
            }
        }
    }

    /// nil without a C compiler.
    public static let shared: Faults? = try? Faults()
    private let library: String

    private init() throws {
        let folder = "\(Places.repository)/Tests/TestSupport/Faults"
        library = try CompiledLibrary(
            "failing_calls.so", of: "\(folder)/failing_calls.c", compilers: ["clang", "gcc", "cc"]
        ) { _ in ["-std=gnu17"] }.path
    }

    /// Runs a command without a fault, and counts its calls.
    public func count(_ tool: Tool, _ arguments: [String], in folder: String) throws
        -> (result: Tool.Result, calls: [Call: Int])
    {
        let counted = NSTemporaryDirectory() + "iceshelfpinn-calls-" + UUID().uuidString
        try Data(count: 8 * Call.allCases.count).write(to: URL(fileURLWithPath: counted))
        defer { try? FileManager.default.removeItem(atPath: counted) }
        let result = try tool.run(
            arguments, in: folder, environment: ["LD_PRELOAD": library, "PINN_FAULT_COUNT": counted])
        let counts = try Data(contentsOf: URL(fileURLWithPath: counted)).withUnsafeBytes {
            $0.bindMemory(to: UInt64.self).map { Int($0) }
        }
        return (result, Dictionary(uniqueKeysWithValues: zip(Call.allCases, counts)))
    }

    /// Runs a command with a fault.
    ///
    /// - Parameters:
    ///   - place: the call that fails, from 1.
    ///   - onward: all calls after it fail too.
    ///   - seconds: how long it may take; it is killed after these.
    /// - Returns: its result, and whether it ended in time.
    public func run(
        _ tool: Tool, _ arguments: [String], in folder: String, _ call: Call, _ effect: Effect, at place: Int,
        onward: Bool = false, within seconds: Double = 10
    ) throws -> (result: Tool.Result, endedInTime: Bool) {
        var environment = [
            "LD_PRELOAD": library, "PINN_FAULT_CALL": call.rawValue, "PINN_FAULT_AT": "\(place)",
            // Of the runtime: what it prints where it traps takes a second.
            "SWIFT_BACKTRACE": "enable=no",
        ]
        switch effect {
        case .error(let code): environment["PINN_FAULT_ERRNO"] = "\(code)"
        case .kill: environment["PINN_FAULT_ERRNO"] = "0"
        }
        if onward { environment["PINN_FAULT_ONWARD"] = "1" }
        var endedInTime = true
        let result = try tool.run(arguments, in: folder, environment: environment) { running in
            let end = ContinuousClock.now + .seconds(seconds)
            running.wait { _ in ContinuousClock.now > end }
            endedInTime = !running.process.isRunning
            running.send(SIGKILL)
        }
        return (result, endedInTime)
    }
}
