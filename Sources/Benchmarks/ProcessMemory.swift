import Glibc

/// Memory of this process.
enum ProcessMemory {
    /// The most that was resident at once since the program began.
    ///
    /// VmHWM of proc(5), not getrusage: ru_maxrss survives execve, so a child would begin with its parent's peak.
    static var peakBytes: Int {
        guard let file = fopen("/proc/self/status", "r") else { return usedSinceFork }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard text.hasPrefix("VmHWM:") else { continue }
            if let kilobytes = Int(text.filter(\.isNumber)) { return kilobytes * 1024 }
        }
        return usedSinceFork
    }

    private static var usedSinceFork: Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss * 1024
    }
}
