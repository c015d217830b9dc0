import Glibc

/// Compiled kernels on disk, so that only the first run on a GPU architecture waits for the compiler. A folder that cannot be
/// read or written is not an error: kernels are then compiled again.
struct KernelCache: Sendable {
    let folder: String?

    /// - Parameter folder: the cache; nil: $XDG_CACHE_HOME/iceshelfpinn or ~/.cache/iceshelfpinn.
    init(folder: String? = nil) {
        func variable(_ name: String) -> String? {
            getenv(name).map { String(cString: $0) }.flatMap { $0.hasPrefix("/") ? $0 : nil }
        }
        self.folder =
            folder
            ?? (variable("XDG_CACHE_HOME") ?? variable("HOME").map { "\($0)/.cache" }).map { "\($0)/iceshelfpinn" }
    }

    /// The code for a key, compiled if it is not cached.
    ///
    /// - Parameter key: everything that determines the code.
    func code(key: String, compile: () throws(CUDAError) -> [UInt8]) throws(CUDAError) -> [UInt8] {
        guard let folder else { return try compile() }
        let path = "\(folder)/\(KernelCache.name(of: key)).cubin"
        if let known = KernelCache.read(path) { return known }
        let code = try compile()
        KernelCache.write(code, to: path, in: folder)
        return code
    }

    /// Two 64-bit FNV-1a hashes with different offset bases; no adversary chooses the keys.
    static func name(of key: String) -> String {
        func hash(_ start: UInt64) -> String {
            let value = key.utf8.reduce(start) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
            let digits = String(value, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
        return hash(0xcbf2_9ce4_8422_2325) + hash(0x9e37_79b9_7f4a_7c15)
    }

    /// The last four bytes are the checksum of the others: a file truncated by a full disk is compiled again.
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

    /// Written to a temporary name in the same folder, then renamed: another process never sees a partial file.
    private static func write(_ code: [UInt8], to path: String, in folder: String) {
        let parent = folder.lastIndex(of: "/").map { String(folder[..<$0]) } ?? "/"
        mkdir(parent, 0o755)
        mkdir(folder, 0o755)
        let temporary = "\(path).\(getpid()).\(UInt64.random(in: 0...UInt64.max))"
        guard let file = fopen(temporary, "wb") else { return }
        let bytes = code + checksum(code[...])
        let isWhole = fwrite(bytes, 1, bytes.count, file) == bytes.count
        guard fclose(file) == 0, isWhole, rename(temporary, path) == 0 else {
            unlink(temporary)
            return
        }
    }

    private static func checksum(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var sum: UInt32 = 2_166_136_261
        for byte in bytes { sum = (sum ^ UInt32(byte)) &* 16_777_619 }
        return (0..<4).map { UInt8(truncatingIfNeeded: sum >> (8 * UInt32($0))) }
    }
}
