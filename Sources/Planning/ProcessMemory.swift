import Foundation

/// Memory of this process now [bytes], from proc(5).
public struct ProcessMemory: Sendable, Equatable {
    /// Pages in memory (VmRSS): what a control group counts.
    public var resident: Int
    /// Address space (VmSize): what `ulimit -v` counts.
    public var mapped: Int
    /// Private writable mappings (VmData): what `ulimit -d` counts.
    public var data: Int

    public init(resident: Int, mapped: Int, data: Int) {
        self.resident = resident
        self.mapped = mapped
        self.data = data
    }

    /// The most that was resident at once since the program began.
    ///
    /// VmHWM of proc(5), not getrusage: ru_maxrss survives execve, so a child would begin with its parent's peak.
    public static var peakBytes: Int { kilobytes("VmHWM", in: smallFile("/proc/self/status") ?? "") ?? 0 }

    public static let none = ProcessMemory(resident: 0, mapped: 0, data: 0)

    public static func - (a: ProcessMemory, b: ProcessMemory) -> ProcessMemory {
        ProcessMemory(resident: a.resident - b.resident, mapped: a.mapped - b.mapped, data: a.data - b.data)
    }

    /// The same plus the code of netCDF and HDF5 (measured: 8 MB), which pinn-train has loaded when it plans.
    public var withOpenStore: ProcessMemory {
        var memory = self
        memory.resident += 8 << 20
        return memory
    }

    public static var now: ProcessMemory {
        let status = smallFile("/proc/self/status") ?? ""
        return ProcessMemory(
            resident: kilobytes("VmRSS", in: status) ?? 0, mapped: kilobytes("VmSize", in: status) ?? 0,
            data: kilobytes("VmData", in: status) ?? 0)
    }
}

/// The bytes of a line such as "VmRSS:   1234 kB".
func kilobytes(_ name: String, in text: String) -> Int? {
    let line = text.split(separator: "\n").first { $0.hasPrefix("\(name):") }
    return line.flatMap { Int($0.filter(\.isNumber)) }.map { $0 * 1024 }
}

/// The text of a file of /proc or /sys; nil where it cannot be read.
func smallFile(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }
