import ComputeCPU
import Foundation
import Glibc

/// The machine on which figures were measured.
public struct Machine: Codable, Sendable, Equatable {
    public var processor: String
    /// Cores that the process may use, which a batch system may restrict.
    public var cores: Int
    public var memoryBytes: Int
    public var system: String
    /// Load average over the minute before the first row (getloadavg(3)); above a few tenths, other processes were running.
    public var load: Double

    /// 1, 2, 4, ... and all cores.
    public static func threadCounts(cores: Int) -> [Int] {
        Array(sequence(first: 1) { $0 * 2 }.prefix { $0 < cores }) + [cores]
    }

    static func here() -> Machine {
        var names = utsname()
        uname(&names)
        var load = [0.0]
        getloadavg(&load, 1)
        return Machine(
            processor: processorName ?? "unknown", cores: CPUBackend.availableCores,
            memoryBytes: Int(ProcessInfo.processInfo.physicalMemory),
            system: "\(text(names.sysname)) \(text(names.machine))", load: load[0])
    }

    private static var processorName: String? {
        guard let info = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) else { return nil }
        // On Arm, /proc/cpuinfo has no "model name".
        let line = info.split(separator: "\n").first { $0.hasPrefix("model name") || $0.hasPrefix("CPU part") }
        return line?.split(separator: ":", maxSplits: 1).last?.trimmingCharacters(in: .whitespaces)
    }

    /// Text of a fixed-size C array, which Swift imports as a tuple.
    private static func text(_ characters: some Any) -> String {
        withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
