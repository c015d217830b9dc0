import Foundation
@preconcurrency import Glibc

/// Reports as files: checks on what may be read or replaced.
enum ReportFile {
    /// Largest size accepted; a report of a thousand rows has half a megabyte.
    private static let longest = 64 << 20

    /// All bytes of a file or a pipe.
    static func contents(_ path: String) throws -> Data {
        var info = stat()
        guard stat(path, &info) == 0 else {
            throw BenchmarkError.unreadable(path: path, reason: String(cString: strerror(errno)))
        }
        // A pipe is accepted (a report from `git show`, say); a device may never end.
        let kind = info.st_mode & S_IFMT
        guard kind == S_IFREG || kind == S_IFIFO else {
            throw BenchmarkError.badReport(path: path, reason: "it is \(name(ofKind: kind))")
        }
        let handle = open(path, O_RDONLY | O_CLOEXEC)
        guard handle >= 0 else {
            throw BenchmarkError.unreadable(path: path, reason: String(cString: strerror(errno)))
        }
        defer { close(handle) }
        var bytes = Data()
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let got = read(handle, &buffer, buffer.count)
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else {
                throw BenchmarkError.unreadable(path: path, reason: String(cString: strerror(errno)))
            }
            if got == 0 { return bytes }
            bytes.append(contentsOf: buffer[..<got])
            guard bytes.count <= longest else {
                throw BenchmarkError.badReport(path: path, reason: "it is far too long")
            }
        }
    }

    private struct Format: Decodable {
        let format: String
    }

    /// The format that the file states; nil if none.
    static func format(of data: Data) -> String? { try? JSON.decode(Format.self, from: data).format }

    /// The path to write a report to: symbolic links are resolved, so that they are kept.
    static func target(_ path: String) throws -> String {
        func refuse(_ what: String) -> BenchmarkError { .notReplaced(path: path, what: what) }
        guard !path.isEmpty else { throw BenchmarkError.unwritable(path: "--save", reason: "the name is empty") }
        var info = stat()
        guard lstat(path, &info) == 0 else {
            guard errno == ENOENT else { throw unwritable(path) }
            try requireFolder(of: path, reportedAs: path)
            return path
        }
        // A dangling link is refused.
        guard let resolved = realpath(path, nil) else { throw refuse("is a dangling symbolic link") }
        defer { free(resolved) }
        let target = String(cString: resolved)
        guard stat(target, &info) == 0 else { throw unwritable(path) }
        let kind = info.st_mode & S_IFMT
        guard kind == S_IFREG else { throw refuse("is \(name(ofKind: kind))") }
        // Reports of other format versions may be replaced too.
        guard let data = try? contents(target), let found = format(of: data),
            found.hasPrefix("IceShelfPINN benchmark")
        else { throw refuse("exists and is not a report of pinn-bench") }
        guard access(target, W_OK) == 0 else { throw unwritable(path) }
        try requireFolder(of: target, reportedAs: path)
        return target
    }

    static func write(_ data: Data, to path: String, reportedAs name: String) throws {
        let handle = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC)
        guard handle >= 0 else { throw unwritable(name) }
        defer { close(handle) }
        var rest = data[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(handle, $0.baseAddress, $0.count) }
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { throw unwritable(name) }
            rest = rest.dropFirst(written)
        }
    }

    private static func requireFolder(of path: String, reportedAs name: String) throws {
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        var info = stat()
        guard stat(folder, &info) == 0, access(folder, W_OK | X_OK) == 0 else { throw unwritable(name) }
    }

    private static func unwritable(_ path: String) -> BenchmarkError {
        .unwritable(path: path, reason: String(cString: strerror(errno)))
    }

    private static func name(ofKind kind: mode_t) -> String {
        switch kind {
        case S_IFDIR: "a folder"
        case S_IFIFO: "a pipe"
        case S_IFSOCK: "a socket"
        default: "a device"
        }
    }
}
