import ComputeCPU
import Foundation
import Glibc

/// What a reader of figures must know of the machine that they were measured on.
public struct Machine: Codable, Sendable, Equatable {
    public var processor: String
    /// Cores that the process may use, which a batch system may have cut.
    public var cores: Int
    public var memoryBytes: Int
    public var system: String
    /// Processes that wanted a core in the minute before the first row (getloadavg(3)); above a few tenths, others were at work.
    public var load: Double

    public static func here() -> Machine {
        var names = utsname()
        uname(&names)
        var load = [0.0]
        getloadavg(&load, 1)
        return Machine(
            processor: processorName ?? "unknown", cores: CPUBackend.availableCores,
            memoryBytes: Int(sysconf(Int32(_SC_PHYS_PAGES))) * Int(sysconf(Int32(_SC_PAGESIZE))),
            system: "\(text(names.sysname)) \(text(names.machine))", load: load[0])
    }

    private static var processorName: String? {
        guard let info = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) else { return nil }
        // Arm's kernels give no "model name".
        let line = info.split(separator: "\n").first { $0.hasPrefix("model name") || $0.hasPrefix("CPU part") }
        return line?.split(separator: ":", maxSplits: 1).last?.trimmingCharacters(in: .whitespaces)
    }

    /// C's fixed-size arrays of characters come as tuples.
    private static func text(_ characters: some Any) -> String {
        withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
