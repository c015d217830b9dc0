import CSystem
import Fields
import Foundation
@preconcurrency import Glibc
import NetCDFFiles

/// A prediction's fields as cloud-optimized GeoTIFFs, written by GDAL's converter where it is installed; GDAL is needed for
/// nothing else.
public enum GeoTIFF {
    private static let converter = "gdal_translate"
    private static let software = "pinn-export"

    /// Looks for the converter and makes the folder, before any work that would be lost without them.
    public static func prepare(_ prediction: String, folder: String) throws {
        _ = try converterPath()
        guard !prediction.contains("\"") else {
            throw PlainFailure(
                .usage,
                "--geotiff: \(quoted(prediction)): GDAL cannot open a file with quotes in its name; give it another")
        }
        try makeFolder(folder)
    }

    /// Only older maps of this program are replaced: every file that the converter writes names it.
    public static func requireReplaceable(_ fields: [String], in folder: String) throws {
        for path in fields.map({ file($0, in: folder) }) {
            // Its tags lie before its picture.
            try Fields.requireReplaceable(path, by: "a map of pinn-export", marked: software, within: 1 << 20)
        }
    }

    private static func file(_ field: String, in folder: String) -> String { "\(folder)/\(field).tif" }

    /// Writes FOLDER/FIELD.tif, in a folder that `prepare` made, for the fields of the grid at the root of a prediction.
    ///
    /// - Parameter check: throws where the command is to stop; asked all the time, also while the converter works.
    /// - Returns: the files.
    public static func convert(
        _ prediction: String, fields: [String], into folder: String, check: () throws -> Void
    ) throws -> [String] {
        let program = try converterPath()
        return try fields.map { field in
            let output = file(field, in: folder)
            let pending = try AtomicFile(replacing: output)
            let arguments = [
                "-q", "-of", "COG", "-co", "COMPRESS=DEFLATE", "-mo", "TIFFTAG_SOFTWARE=\(software), \(Version.text)",
                "NETCDF:\"\(prediction)\":\(field)",
                pending.temporaryPath,
            ]
            // What GDAL writes beside it, which goes with it.
            let overviews = pending.temporaryPath + PartialName.companion
            cleanup_file_add(overviews)
            defer {
                cleanup_file_remove(overviews)
                unlink(overviews)
            }
            if let reason = try run(program, arguments, check) ?? fault(of: pending.temporaryPath) {
                let command = ([converter] + arguments).map(shellWord).joined(separator: " ")
                throw PlainFailure(.inputOutput, "--geotiff: \(field): \(command) failed: \(reason)")
            }
            try pending.commit()
            return output
        }
    }

    /// Why a file is no map; nil where it begins as one.
    private static func fault(of path: String) -> String? {
        let begin = firstBytes(of: path, 4) ?? []
        return begin.starts(with: Array("II".utf8)) || begin.starts(with: Array("MM".utf8))
            ? nil : "it has written no map, and said nothing"
    }

    /// Runs a program to its end; what it says last where it fails. (Foundation's Process waits without end for threads of Dispatch
    /// that cannot be made.)
    private static func run(_ program: String, _ arguments: [String], _ check: () throws -> Void) throws -> String? {
        let messages = Pipe()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, messages.fileHandleForWriting.fileDescriptor, STDERR_FILENO)
        let words = ([program] + arguments).map { strdup($0) }
        defer { for word in words { free(word) } }
        var process = pid_t()
        let refusal = posix_spawn(&process, program, &actions, nil, words + [nil], environ)
        messages.fileHandleForWriting.closeFile()
        cleanup_child_set(refusal == 0 ? process : 0)
        defer { cleanup_child_set(0) }
        guard refusal == 0 else { return String(cString: strerror(refusal)) }
        var status: Int32 = 0
        var said = ""
        do {
            said = try read(messages.fileHandleForReading.fileDescriptor, check)
            while waitpid(process, &status, WNOHANG) == 0 {
                try check()
                usleep(10_000)
            }
        } catch {
            kill(process, SIGKILL)
            while waitpid(process, &status, 0) < 0 && errno == EINTR {}
            throw error
        }
        return status == 0 ? nil : said.split(separator: "\n").last.map(String.init) ?? "no message"
    }

    /// What comes through a pipe until its other end is closed.
    private static func read(_ handle: Int32, _ check: () throws -> Void) throws -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            try check()
            var waiting = pollfd(fd: handle, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, 100) > 0 else { continue }
            let count = Glibc.read(handle, &buffer, buffer.count)
            if count == 0 || (count < 0 && errno != EINTR) { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer.prefix(max(0, count))
        }
    }

    private static func converterPath() throws(PlainFailure) -> String {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        let paths = folders.map { "\($0)/\(converter)" }
        guard let path = paths.first(where: FileManager.default.isExecutableFile(atPath:)) else {
            throw PlainFailure(
                .missingInput,
                "--geotiff: the program \(converter) is not installed; it belongs to GDAL (Debian: apt install gdal-bin)"
            )
        }
        return path
    }
}
