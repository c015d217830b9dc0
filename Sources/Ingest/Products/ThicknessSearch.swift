import Fields
@preconcurrency import Glibc
import NetCDFFiles

/// Finds the thickness product that lies beside a velocity file, so that a folder with the two downloads is all that the
/// bare command needs. Files are told by their content, not by their names.
enum ThicknessSearch {
    /// Some files make HDF5 compute for seconds before it gives up; a folder may be full of them.
    private static let patience = Duration.seconds(15)

    /// The one product in the folder of the velocity that has thickness and mask for its place. A product that a schema
    /// of its own recognises goes before a file with common names.
    static func product(
        beside velocity: ProductFile, on window: GridWindow, except store: String, catalog: ProductCatalog
    ) throws -> ProductFile {
        let deadline = ContinuousClock.now + patience
        return try ProductReader.$deadline.withValue(deadline) {
            try product(beside: velocity, on: window, except: store, catalog: catalog, until: deadline)
        }
    }

    private static func product(
        beside velocity: ProductFile, on window: GridWindow, except store: String, catalog: ProductCatalog,
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
                // One that is left out for its slowness may be the one that is meant.
                guard ContinuousClock.now < deadline else {
                    throw IngestError.searchTooLong(
                        velocity: velocity.path, unreadable: unreadable, unseen: others.count - number - 1)
                }
                continue
            }
            // Stores and predictions of this program say what they are.
            let isOurs = product.file.attribute("format")?.text?.hasPrefix("IceShelfPINN") == true
            guard !isOurs, product.hasThickness, product.hasMask || velocity.hasMask,
                covers(window, product)
            else { continue }
            found.append(product)
        }
        let particular = found.filter { !$0.schema.isGeneral }
        let candidates = particular.isEmpty ? found : particular
        guard let first = candidates.first else {
            let projection = window.grid.projection
            throw IngestError.noThickness(
                velocity: velocity.path, unreadable: unreadable,
                isGreenland: (projection?.codeOfText ?? projection?.codeOfParameters) == 3413)
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

    /// NetCDF files of a folder by name, in order.
    private static func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            // The record ends with its name: the 256 characters that the type declares are not all there.
            let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
            let name = String(
                cString: UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: CChar.self))
            if !name.hasPrefix("."), name.hasSuffix(".nc") || name.hasSuffix(".nc4") { names.append(name) }
        }
        return names.sorted()
    }
}
