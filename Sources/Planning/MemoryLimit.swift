import Glibc

/// A bound on the memory of this process, and who sets it.
public struct MemoryLimit: Sendable, Equatable {
    public enum Measure: Sendable {
        /// Pages in memory.
        case resident
        /// Address space, touched or not.
        case mapped
        /// Private writable mappings.
        case data
    }

    public let measure: Measure
    public let bytes: Int
    /// For messages.
    public let name: String

    public init(counting measure: Measure, bytes: Int, name: String) {
        self.measure = measure
        self.bytes = bytes
        self.name = name
    }

    /// All limits of this process: control groups, ulimit, Slurm, and what the machine has free.
    public static func all(holding memory: ProcessMemory) -> [MemoryLimit] {
        var limits = ControlGroups.own.limits
        for (resource, measure, name) in [
            (RLIMIT_AS, Measure.mapped, "ulimit -v"), (RLIMIT_DATA, Measure.data, "ulimit -d"),
        ] {
            var limit = rlimit()
            if getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0, limit.rlim_cur < 1 << 60 {
                limits.append(MemoryLimit(counting: measure, bytes: Int(limit.rlim_cur), name: name))
            }
        }
        // Not every cluster's Slurm puts a job into a control group; 0 requests all memory of a node.
        if let text = getenv("SLURM_MEM_PER_NODE"), let megabytes = Int(String(cString: text)), megabytes > 0 {
            limits.append(
                MemoryLimit(
                    counting: .resident, bytes: megabytes << 20, name: "the Slurm job (SLURM_MEM_PER_NODE)"))
        }
        if let free = kilobytes("MemAvailable", in: smallFile("/proc/meminfo") ?? "") {
            // What this process holds already no longer counts as free, but is its own.
            limits.append(
                MemoryLimit(counting: .resident, bytes: free + memory.resident, name: "this machine's free memory"))
        }
        return limits
    }
}
