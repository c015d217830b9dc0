import Glibc

/// Memory of this process.
enum ProcessMemory {
    /// Peak resident memory since the program began [bytes].
    ///
    /// VmHWM of proc(5), not getrusage: ru_maxrss survives execve, so a child would begin with its parent's peak.
    static var peakBytes: Int {
        bytes("VmHWM:", in: "/proc/self/status") ?? usedSinceFork
    }

    /// The bytes of a line "name   number kB" of a file below /proc; nil where there is none.
    static func bytes(_ name: String, in path: String) -> Int? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard text.hasPrefix(name) else { continue }
            return Int(text.filter(\.isNumber)).map { $0 * 1024 }
        }
        return nil
    }

    private static var usedSinceFork: Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss * 1024
    }
}
