import Fields
import Foundation
import NetCDFFiles

/// A prediction's fields as cloud-optimised GeoTIFFs, made by GDAL's own converter where it is installed: nothing of GDAL is
/// needed to build or to run without it.
public enum GeoTIFF {
    private static let converter = "gdal_translate"

    /// Looks for the converter, before the work that would be lost without it.
    public static func requireConverter() throws {
        guard path(of: converter) != nil else { throw ExportError.noConverter(converter) }
    }

    /// Writes FOLDER/FIELD.tif for the fields of the grid at the root of a prediction.
    ///
    /// - Returns: the files.
    public static func convert(_ prediction: String, fields: [String], into folder: String) throws -> [String] {
        guard let program = path(of: converter) else { throw ExportError.noConverter(converter) }
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw NetCDFError.writeFailed(path: folder, what: "the folder", reason: error.localizedDescription)
        }
        return try fields.map { field in
            let output = "\(folder)/\(field).tif"
            let pending = try PendingFile(replacing: output)
            let arguments = [
                "-q", "-of", "COG", "-co", "COMPRESS=DEFLATE", "NETCDF:\"\(prediction)\":\(field)",
                pending.temporaryPath,
            ]
            let process = Process()
            process.executableURL = URL(fileURLWithPath: program)
            process.arguments = arguments
            let messages = Pipe()
            process.standardError = messages
            try process.run()
            let said = String(decoding: messages.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            guard process.terminationStatus == 0 else {
                pending.discard()
                throw ExportError.converterFailed(
                    field: field, command: ([converter] + arguments).map(shellWord).joined(separator: " "),
                    reason: said.split(separator: "\n").last.map(String.init) ?? "no message")
            }
            try pending.commit()
            return output
        }
    }

    private static func path(of program: String) -> String? {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(program)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
