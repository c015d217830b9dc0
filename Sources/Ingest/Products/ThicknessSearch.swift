import Fields
import Foundation
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
        let folder = velocity.path.lastIndex(of: "/").map { String(velocity.path[...$0]) } ?? ""
        var found: [ProductFile] = []
        var unreadable: [String] = []
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)) ?? []
        let others = names.sorted().filter { name in
            !name.hasPrefix(".") && [".nc", ".nc4"].contains(where: name.hasSuffix)
                && ![velocity.path, store].contains(folder + name)
        }
        for (number, name) in others.enumerated() {
            do {
                try ProductReader.$deadline.withValue(deadline) {
                    let product = try ProductFile(path: folder + name, catalog: catalog)
                    // Stores and predictions of this program identify themselves.
                    let isOurs = product.file.attribute("format")?.text?.hasPrefix("IceShelfPINN") == true
                    if !isOurs, product.mask != nil || velocity.mask != nil, try covers(window, product) {
                        found.append(product)
                    }
                }
            } catch let failure as any Failure where ![.system, .inputOutput].contains(failure.kind) {
                unreadable.append(name)
                // A file that was too slow to read may be the right one.
                guard ContinuousClock.now < deadline else {
                    let unseen = others.count - number - 1
                    throw PlainFailure(
                        .missingInput,
                        "\(velocity.path): the search for a thickness file in its folder took too long: \(list(unreadable)) could not be read\(unseen == 0 ? "" : ", and \(unseen) files were not tried"); give the thickness with --thickness BEDMACHINE.nc"
                    )
                }
            }
        }
        let specific = found.filter { !$0.schema.isGeneral }
        let candidates = specific.isEmpty ? found : specific
        guard let first = candidates.first else {
            let isGreenland = window.grid.projection?.epsgCode == 3413
            throw PlainFailure(
                .missingInput,
                "\(velocity.path): has no ice thickness, and its folder has no file with thickness and mask that covers it\(unreadable.isEmpty ? "" : " (unreadable: \(list(unreadable)))"); get BedMachine \(isGreenland ? "Greenland (https://nsidc.org/data/idbmg4)" : "Antarctica (https://nsidc.org/data/nsidc-0756)") and put it in that folder, or give it with --thickness BEDMACHINE.nc"
            )
        }
        guard candidates.count == 1 else {
            throw PlainFailure(
                .usage,
                "several files in the folder of the velocity have a thickness for it: \(list(candidates.map(\.name))); choose one with --thickness"
            )
        }
        return first
    }

    private static func covers(_ window: GridWindow, _ product: ProductFile) throws -> Bool {
        guard let variable = product.thickness else { return false }
        do {
            let other = try GridWindow(of: variable, in: product, region: .everywhere)
            return !NearestCells(from: window.grid, to: other.grid).isEmpty
        } catch let failure as any Failure where ![.system, .inputOutput].contains(failure.kind) {
            return false
        }
    }
}
