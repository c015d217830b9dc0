import Fields
@preconcurrency import Glibc
import MapProjections
import NetCDFFiles

/// Finds the thickness product in the folder of a velocity file, so that the command needs nothing but a folder with the two
/// downloads. Files are recognised by their content, not by their names.
enum ThicknessSearch {
    /// HDF5 needs seconds to give up on some files, and a folder may be full of them.
    private static let patience = Duration.seconds(15)

    /// The one product in the folder of the velocity with thickness and mask that overlaps it. A product with a specific
    /// schema takes precedence over a file with common names.
    static func product(
        matching velocity: ProductFile, on window: GridWindow, except store: String, catalog: ProductCatalog
    ) throws -> ProductFile {
        let deadline = ContinuousClock.now + patience
        return try ProductReader.$deadline.withValue(deadline) {
            try product(matching: velocity, on: window, except: store, catalog: catalog, until: deadline)
        }
    }

    private static func product(
        matching velocity: ProductFile, on window: GridWindow, except store: String, catalog: ProductCatalog,
        until deadline: ContinuousClock.Instant
    ) throws -> ProductFile {
        let folder = velocity.path.lastIndex(of: "/").map { String(velocity.path[...$0]) } ?? ""
        var found: [ProductFile] = []
        var unreadable: [String] = []
        let others = names(in: folder.isEmpty ? "." : folder).filter {
            folder + $0 != velocity.path && folder + $0 != store
        }
        for (number, name) in others.enumerated() {
            let product: ProductFile
            do {
                product = try ProductFile(path: folder + name, catalog: catalog)
            } catch let failure as any Failure where failure.kind != .system {
                unreadable.append(name)
                // A file that was too slow to read may be the right one.
                guard ContinuousClock.now < deadline else {
                    throw IngestError.searchTooLong(
                        velocity: velocity.path, unreadable: unreadable, unseen: others.count - number - 1)
                }
                continue
            }
            // Stores and predictions of this program identify themselves.
            let isOurs = product.file.attribute("format")?.text?.hasPrefix("IceShelfPINN") == true
            guard !isOurs, product.hasThickness, product.hasMask || velocity.hasMask,
                covers(window, product)
            else { continue }
            found.append(product)
        }
        let specific = found.filter { !$0.schema.isGeneral }
        let candidates = specific.isEmpty ? found : specific
        guard let first = candidates.first else {
            throw IngestError.noThickness(
                velocity: velocity.path, unreadable: unreadable,
                isGreenland: window.grid.projection?.epsgCode == 3413)
        }
        guard candidates.count == 1 else { throw IngestError.severalThicknessFiles(candidates.map(\.name)) }
        return first
    }

    private static func covers(_ window: GridWindow, _ product: ProductFile) -> Bool {
        guard let variable = product.thickness,
            let other = try? GridWindow(of: variable, in: product, region: .everywhere)
        else { return false }
        return !NearestCells(from: window.grid, to: other.grid).isEmpty
    }

    /// Names of the NetCDF files in a folder, sorted.
    private static func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            // The record ends with the name: it is shorter than the 256 characters that the type declares.
            let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
            let name = String(
                cString: UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: CChar.self))
            if !name.hasPrefix("."), name.hasSuffix(".nc") || name.hasSuffix(".nc4") { names.append(name) }
        }
        return names.sorted()
    }
}
