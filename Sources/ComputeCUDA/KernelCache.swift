import Glibc

/// Compiled kernels on disk, so that only the first run on a kind of GPU waits for the compiler. A folder that cannot be
/// read or written is no error: then the kernels are compiled again.
struct KernelCache: Sendable {
    let folder: String?

    /// - Parameter folder: nil: $XDG_CACHE_HOME/iceshelfpinn or ~/.cache/iceshelfpinn.
    init(folder: String? = nil) {
        func variable(_ name: String) -> String? {
            getenv(name).map { String(cString: $0) }.flatMap { $0.hasPrefix("/") ? $0 : nil }
        }
        self.folder =
            folder
            ?? (variable("XDG_CACHE_HOME") ?? variable("HOME").map { "\($0)/.cache" }).map { "\($0)/iceshelfpinn" }
    }

    /// The code of a text, compiled if it is not there yet.
    ///
    /// - Parameter key: everything that the code follows from.
    func code(key: String, compile: () throws(CUDAError) -> [UInt8]) throws(CUDAError) -> [UInt8] {
        guard let folder else { return try compile() }
        let path = "\(folder)/\(KernelCache.name(of: key)).cubin"
        if let known = KernelCache.read(path) { return known }
        let code = try compile()
        KernelCache.write(code, to: path, in: folder)
        return code
    }

    /// Two 64-bit FNV-1a hashes with different beginnings: names must differ where texts do, nobody chooses texts.
    static func name(of key: String) -> String {
        func hash(_ start: UInt64) -> String {
            let value = key.utf8.reduce(start) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
            let digits = String(value, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
        return hash(0xcbf2_9ce4_8422_2325) + hash(0x9e37_79b9_7f4a_7c15)
    }

    /// The last four bytes are the sum of the others: a file that a full disk cut short is compiled anew.
    private static func read(_ path: String) -> [UInt8]? {
        guard let file = fopen(path, "rb") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&piece, 1, piece.count, file)
            guard count > 0 else { break }
            bytes += piece[..<count]
        }
        guard bytes.count > 4, Array(bytes.suffix(4)) == checksum(bytes.dropLast(4)) else { return nil }
        return Array(bytes.dropLast(4))
    }

    /// Beside its place, then renamed: another process never sees half of it.
    private static func write(_ code: [UInt8], to path: String, in folder: String) {
        let parent = folder.lastIndex(of: "/").map { String(folder[..<$0]) } ?? "/"
        mkdir(parent, 0o755)
        mkdir(folder, 0o755)
        let beside = "\(path).\(getpid()).\(UInt64.random(in: 0...UInt64.max))"
        guard let file = fopen(beside, "wb") else { return }
        let bytes = code + checksum(code[...])
        let isWhole = fwrite(bytes, 1, bytes.count, file) == bytes.count
        guard fclose(file) == 0, isWhole, rename(beside, path) == 0 else {
            unlink(beside)
            return
        }
    }

    private static func checksum(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var sum: UInt32 = 2_166_136_261
        for byte in bytes { sum = (sum ^ UInt32(byte)) &* 16_777_619 }
        return (0..<4).map { UInt8(truncatingIfNeeded: sum >> (8 * UInt32($0))) }
    }
}
