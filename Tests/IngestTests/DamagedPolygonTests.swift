import Fields
import Foundation
import Ingest
import TestSupport
import Testing

/// Polygons with changed bytes: read or refused. (Shapefiles: the library that reads them may die of one, and with it the
/// process; they are tried with the commands.)
@Suite struct DamagedPolygonTests {
    private static let seeds = Damage.seeds(fast: 200, long: 2000)
    private static let parts: [[OutlineFiles.Ring]] = [
        [[(0, 0), (50_000, 0), (50_000, 50_000)], [(20_000, 10_000), (30_000, 10_000), (30_000, 20_000)]],
        [[(60_000, 0), (70_000, 0), (70_000, 9000)]],
    ]

    @Test(arguments: ["area.geojson", "area.exp"])
    func damagedPolygonsAreReadOrRefused(name: String) throws {
        let folder = try TemporaryFolder()
        let text =
            name.hasSuffix(".exp")
            ? OutlineFiles.exp(Self.parts.flatMap { $0 }) : OutlineFiles.geoJSON(Self.parts, system: "")
        try text.write(toFile: folder.file(name), atomically: true, encoding: .utf8)
        let extent = Region(xMin: 0, xMax: 100_000, yMin: 0, yMax: 100_000)
        let tried = try Damage.tried(name, in: folder, seeds: Self.seeds) { path in
            _ = try PolygonFile(path: path).polygon(in: nil, of: "a product", extent: extent)
        }
        #expect(tried.faults.isEmpty)
        // A changed digit makes another polygon.
        #expect(tried.read > 0)
    }
}
