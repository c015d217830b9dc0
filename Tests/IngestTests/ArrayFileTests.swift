import Fields
import Foundation
import Ingest
import PointStore
import TestSupport
import Testing

/// A data set of DIFFICE_jax of the small shelf: two crops with meshes that are NaN off the shelf, and the front's points.
private enum DiffIce {
    /// What the group takes off the coordinates, by a number that the file does not tell.
    static let origin = 2500.0

    static func matrices(isSingle: Bool = false) -> [MATLABMatrix] {
        let x = (0..<24).map { -1500 + 1000 * Double($0) }
        let y = (0..<16).map { 13_500 - 1000 * Double($0) }
        let xh = (0..<30).map { -1600 + 800 * Double($0) }
        let yh = (0..<20).map { 13_600 - 800 * Double($0) }
        func mesh(
            _ name: String, _ x: [Double], _ y: [Double], _ value: @escaping (Double, Double) -> Double
        ) -> MATLABMatrix {
            var matrix = MATLABMatrix(name, rows: y.count, columns: x.count) { row, column in
                SmallShelf.cover(x[column], y[row]) == 3 ? value(x[column], y[row]) : .nan
            }
            matrix.isSingle = isSingle
            return matrix
        }
        let seconds = 31_536_000.0
        return [
            mesh("xd", x, y) { x, _ in x - origin }, mesh("yd", x, y) { _, y in y - origin },
            mesh("ud", x, y) { SmallShelf.u($0, $1) / seconds }, mesh("vd", x, y) { SmallShelf.v($0, $1) / seconds },
            mesh("xd_h", xh, yh) { x, _ in x - origin }, mesh("yd_h", xh, yh) { _, y in y - origin },
            mesh("hd", xh, yh, SmallShelf.h),
            MATLABMatrix("xct", rows: 12, columns: 1) { _, _ in 20_000 - origin },
            MATLABMatrix("yct", rows: 12, columns: 1) { row, _ in 500 + 1000 * Double(row) - origin },
            // Not of length one in the file: a direction is what counts.
            MATLABMatrix("nnct", rows: 12, columns: 2) { _, column in column == 0 ? 2 : 0 },
        ]
    }
}

/// A file of arrays instead of the products.
private func workplace(_ name: String, _ write: (String) throws -> Void) throws -> Workplace {
    var workplace = try Workplace(nil, nil)
    workplace.request.velocity = workplace.folder.file(name)
    try write(workplace.request.velocity)
    return workplace
}

@Suite("Arrays without the conventions of NetCDF: MATLAB 5 and 7.3, HDF5")
struct ArrayFileTests {
    static let formats: [(name: String, write: @Sendable ([MATLABMatrix], String) throws -> Void)] = [
        ("version 7.3", { try PlainHDF5Writer.write(matrices: $0, to: $1) }),
        ("version 5", { try MATLAB5Writer.write($0, compressed: false, to: $1) }),
        ("version 5, compressed", { try MATLAB5Writer.write($0, compressed: true, to: $1) }),
    ]

    @Test("a data set of DIFFICE_jax", arguments: 0..<3, [false, true])
    func diffIce(format: Int, isSingle: Bool) throws {
        let workplace = try workplace("data_pinns_Small.mat") {
            try ArrayFileTests.formats[format].write(DiffIce.matrices(isSingle: isSingle), $0)
        }
        let report = try workplace.ingest()
        #expect(report.sources.allSatisfy { $0.product.contains("DIFFICE") })
        let store = try workplace.open()
        #expect(store.count(.velocity) == 240)
        #expect(store.count(.thickness) == 24 * 14)
        try store.expectSmallShelf(tolerance: 1e-3, dx: DiffIce.origin, dy: DiffIce.origin)
        // The file's own front: as many points, in their places, with normals of length one.
        #expect(store.count(.front) == 12)
        #expect(try store.physical(.front, .x).allSatisfy { abs($0 - 20_000 + DiffIce.origin) < 1e-2 })
        #expect(try store.physical(.front, .normalX).allSatisfy { $0 == 1 })
        #expect(try store.physical(.front, .normalY).allSatisfy { $0 == 0 })
        #expect(store.description.grids.allSatisfy { $0.grid.projection == nil })
    }

    @Test("points of a front that lie elsewhere, or have no direction, are left out, and none is told")
    func strayFront() throws {
        func ingested(_ change: (Int, Double) -> Double, _ name: String) throws -> Workplace {
            try workplace("data_pinns_Small.mat") {
                var matrices = DiffIce.matrices()
                for number in matrices.indices where matrices[number].name == name {
                    matrices[number].values = matrices[number].values.enumerated().map(change)
                }
                try PlainHDF5Writer.write(matrices: matrices, to: $0)
            }
        }
        let honest = try ingested({ $1 }, "xct")
        let scales = try honest.ingest().scales
        // Half of them a thousand kilometres away.
        let half = try ingested({ row, x in row < 6 ? x : x + 1e6 }, "xct")
        let report = try half.ingest()
        #expect(report.counts[.front] == 6 && report.scales == scales)
        #expect(report.lines.contains { $0.contains("front points") && $0.contains("6 away from ice") })
        // What lies outside of the region is no end of the ice that is taken, though it is not far.
        var cut = honest
        cut.request.region = Region(xMin: -20_000, xMax: 15_900, yMin: -20_000, yMax: 20_000)
        #expect(try cut.ingest().counts[.front] == nil)
        for (name, change) in [("xct", { $1 + 1e6 }), ("nnct", { _, _ in 0 })] as [(String, (Int, Double) -> Double)] {
            let report = try ingested(change, name).ingest()
            #expect(report.counts[.front] == nil)
            #expect(report.warnings.contains { $0.contains("no calving front") }, "\(report.warnings)")
        }
    }

    @Test(
        "a data set that lacks something is refused by name",
        arguments: [
            ("ud", "no velocity"), ("vd", "'vd'"), ("nnct", "'nnct'"), ("hd", "thickness"), ("xd_h", "'xd_h'"),
            ("yd", "no velocity"),
        ], 0..<3)
    func missing(fault: (name: String, words: String), format: Int) throws {
        let workplace = try workplace("data.mat") {
            try ArrayFileTests.formats[format].write(DiffIce.matrices().filter { $0.name != fault.name }, $0)
        }
        let failure = try #require(workplace.failure())
        #expect(failure.kind == .badData || failure.kind == .missingInput)
        #expect(failure.explanation.contains("data.mat") && failure.explanation.contains(fault.words))
        #expect(!failure.explanation.contains("\n"))
    }

    @Test("complex numbers are named where a velocity is looked for")
    func complexNumbers() throws {
        let workplace = try workplace("data.mat") { path in
            var matrices = DiffIce.matrices()
            matrices[matrices.firstIndex { $0.name == "ud" }!].isComplex = true
            try MATLAB5Writer.write(matrices, compressed: false, to: path)
        }
        let failure = try #require(workplace.failure())
        #expect(failure.kind == .badData)
        #expect(failure.explanation.contains("'ud (complex numbers)'"), "\(failure.explanation)")
    }

    @Test("a GeoTIFF is refused with the command that makes NetCDF of it")
    func geoTIFF() throws {
        let workplace = try workplace("bed.tif") {
            try Data("II*\0 and so on".utf8).write(to: URL(fileURLWithPath: $0))
        }
        let failure = try #require(workplace.failure())
        #expect(failure.kind == .badData && failure.explanation.contains("gdal_translate -of netCDF"))
    }

    @Test("a rotated mesh and a front whose arrays do not match are rejected")
    func badArrays() throws {
        for (name, words) in [("xd", "rotated"), ("nnct", "do not match")] {
            let workplace = try workplace("data.mat") { path in
                var matrices = DiffIce.matrices()
                let place = matrices.firstIndex { $0.name == name }!
                matrices[place] =
                    name == "xd"
                    ? MATLABMatrix(name, rows: 16, columns: 24) { 1000 * Double($1) + 300 * Double($0) }
                    : MATLABMatrix(name, rows: 11, columns: 2) { _, _ in 1 }
                try MATLAB5Writer.write(matrices, compressed: false, to: path)
            }
            let failure = try #require(workplace.failure())
            #expect(failure.kind == .badData)
            #expect(failure.explanation.contains(words), "\(failure.explanation)")
        }
    }

    @Test("a MATLAB file cut anywhere is refused", arguments: 0..<3)
    func cut(format: Int) throws {
        let workplace = try workplace("data.mat") { try ArrayFileTests.formats[format].write(DiffIce.matrices(), $0) }
        let path = URL(fileURLWithPath: workplace.request.velocity)
        let whole = try Data(contentsOf: path)
        for part in 1..<20 {
            try whole.prefix(whole.count * part / 20).write(to: path)
            let failure = try #require(workplace.failure(), "cut to \(part) twentieths")
            #expect(failure.kind == .badData || failure.kind == .missingInput)
            #expect(failure.explanation.contains("data.mat"))
        }
    }

    @Test("vectors of coordinates are told apart by the schema's order, on a square grid too", arguments: [16, 24])
    func vectors(rows: Int) throws {
        let x = (0..<24).map { -1500 + 1000 * Double($0) }
        let y = (0..<rows).map { 13_500 - 1000 * Double($0) }
        func field(_ name: String, _ value: @escaping (Double, Double) -> Double) -> MATLABMatrix {
            MATLABMatrix(name, rows: rows, columns: 24) { value(x[$1], y[$0]) }
        }
        for write in ArrayFileTests.formats.map(\.write) {
            var workplace = try workplace("mine.mat") { path in
                try write(
                    [
                        MATLABMatrix("east", rows: 1, columns: 24) { x[$1] / 1000 },
                        MATLABMatrix("north", rows: rows, columns: 1) { y[$0] / 1000 + 0 * Double($1) },
                        field("speed_east", SmallShelf.u), field("speed_north", SmallShelf.v),
                        field("depth", SmallShelf.h), field("what", SmallShelf.cover),
                    ], path)
            }
            workplace.request.schema = workplace.folder.file("mine.toml")
            try Data(OwnSchema.text.utf8).write(to: URL(fileURLWithPath: workplace.folder.file("mine.toml")))
            let store = try workplace.store()
            #expect(store.count(.velocity) == 240)
            try store.expectSmallShelf(tolerance: 1e-3)
            #expect(store.count(.front) > 0)
        }
    }

    @Test("data of PINNICLE: grounded ice, whose thickness is surface less bed")
    func pinnicle() throws {
        let x = (0..<24).map { -1500 + 1000 * Double($0) }
        let y = (0..<16).map { 13_500 - 1000 * Double($0) }
        func mesh(_ name: String, _ value: (Double, Double) -> Double) -> PlainHDF5Writer.Array {
            .init(name, shape: [16, 24], y.flatMap { y in x.map { value($0, y) } }, isFloat: true)
        }
        var workplace = try workplace("subdomain.h5") { path in
            try PlainHDF5Writer.write(
                [
                    mesh("surf_x") { x, _ in x }, mesh("surf_y") { _, y in y }, mesh("surf_vx", SmallShelf.u),
                    mesh("surf_vy", SmallShelf.v), mesh("surf_elv") { SmallShelf.h($0, $1) - 200 },
                    mesh("bed_BedMachine") { _, _ in -200 },
                    mesh("surf_mask") { SmallShelf.cover($0, $1) == 3 ? 2 : 1 },
                ], to: path)
        }
        workplace.request.choice = .grounded
        let store = try workplace.store()
        #expect(store.count(.velocity) == 240 && store.count(.surface) == 240)
        try store.expectSmallShelf(tolerance: 1e-3)
        let (h, s) = (try store.physical(.thickness, .h).sorted(), try store.physical(.surface, .s).sorted())
        #expect(zip(h, s).allSatisfy { abs($0 - $1 - 200) < 1e-3 })
    }

    @Test("fields of a model on scattered points are refused with what to do")
    func unstructured() throws {
        var workplace = try workplace("model.mat") { path in
            let points = (0..<50).map { Double($0) }
            try PlainHDF5Writer.write(
                ["md/mesh/x", "md/mesh/y", "md/inversion/vx_obs", "md/inversion/vy_obs"].map {
                    .init($0, shape: [1, 50], points)
                }, to: path)
        }
        workplace.request.schema = workplace.folder.file("issm.toml")
        let schema = OwnSchema.text.replacing("\"east\"", with: "\"md/mesh/x\"").replacing(
            "\"north\"", with: "\"md/mesh/y\""
        ).replacing("\"speed_east\"", with: "\"md/inversion/vx_obs\"").replacing(
            "\"speed_north\"", with: "\"md/inversion/vy_obs\"")
        try Data(schema.utf8).write(to: URL(fileURLWithPath: workplace.folder.file("issm.toml")))
        let failure = try #require(workplace.failure())
        #expect(failure.explanation.contains("InterpFromMeshToGrid"), "\(failure.explanation)")
    }
}

/// A schema as a user writes it.
enum OwnSchema {
    static let text = """
        name = "my arrays"
        id = "mine"
        version = "1"
        doi = ""

        [recognize]
        variables = ["speed_east"]

        [coordinates]
        x = ["east"]
        y = ["north"]
        units_if_missing = "km"
        order = ["x", "y"]

        [velocity]
        x = ["speed_east"]
        y = ["speed_north"]
        units_if_missing = "m/year"

        [thickness]
        variable = ["depth"]
        units_if_missing = "m"

        [mask]
        variable = ["what"]
        codes = { ocean = [0], grounded_ice = [2], floating_ice = [3] }
        """
}

@Suite("A schema of the user's own")
struct OwnSchemaTests {
    private func failure(_ schema: String?) throws -> (any Failure)? {
        var workplace = try Workplace()
        let path = workplace.folder.file("mine.toml")
        workplace.request.schema = path
        if let schema { try Data(schema.utf8).write(to: URL(fileURLWithPath: path)) }
        return workplace.failure()
    }

    @Test(
        "is refused in one line that names the file and what is wrong with it",
        arguments: [
            (nil, ["mine.toml", "--schema"]), ("name = ", ["mine.toml", "line 1"]),
            (OwnSchema.text.replacing("units_if_missing = \"km\"", with: "unit = \"km\""), ["mine.toml", "'unit'"]),
            (OwnSchema.text.replacing("\"km\"", with: "\"leagues\""), ["mine.toml", "'leagues'"]),
            (OwnSchema.text.replacing("doi = \"\"\n", with: ""), ["mine.toml", "doi"]),
            (OwnSchema.text.replacing("ocean = [0]", with: "sea = [0]"), ["mine.toml", "'sea'", "ocean"]),
            (OwnSchema.text.replacing("[\"x\", \"y\"]", with: "[\"y\"]"), ["mine.toml", "order"]),
            (OwnSchema.text, ["--schema mine.toml", "measures.nc", "bed.nc", "no variable 'speed_east'"]),
        ] as [(String?, [String])])
    func refused(schema: String?, words: [String]) throws {
        let failure = try #require(try failure(schema))
        #expect([.badData, .missingInput, .usage].contains(failure.kind))
        #expect(!failure.explanation.contains("\n"))
        #expect(!failure.explanation.contains("report it"))
        for word in words { #expect(failure.explanation.contains(word), "\(failure.explanation)") }
    }

    @Test("goes before those of the catalog, and the store names it")
    func first() throws {
        var workplace = try Workplace()
        let path = workplace.folder.file("mine.toml")
        workplace.request.schema = path
        let source = try #require(ProductCatalog.sources.first { $0.file == "nsidc-0754-v1.toml" })
        let mine = String(decoding: source.toml, as: UTF8.self).replacing("id = \"NSIDC-0754\"", with: "id = \"MINE\"")
        try Data(mine.utf8).write(to: URL(fileURLWithPath: path))
        #expect(try workplace.ingest().sources[0].product.hasPrefix("MINE"))
    }
}

@Suite("What an ingest would do, and what is known")
struct PreviewTests {
    @Test("a preview tells what the ingest then does, and writes nothing")
    func preview() throws {
        let workplace = try Workplace(points: 500_000)
        let before = workplace.folder.names
        let preview = try IngestRun(workplace.request).preview()
        #expect(workplace.folder.names == before)
        let report = try workplace.ingest()
        #expect(preview.points == report.counts[.collocation])
        #expect(preview.inputs.map(\.iceCells) == [report.counts[.velocity], report.counts[.thickness]])
        #expect(preview.inputs.map(\.source.file) == report.sources.map(\.file))
        // Less the header, the front, and the gaps before each column.
        #expect(abs(Double(preview.storeBytes) / Double(report.storeBytes) - 1) < 0.03)
        #expect(preview.seconds > 0 && preview.seconds < 600)
        #expect(preview.lines.contains { $0.contains("measures.nc") && $0.contains("NSIDC-0754") })
    }

    @Test("a preview ends by the mistakes that end the ingest")
    func mistakes() throws {
        var workplace = try Workplace()
        workplace.request.region = Region(xMin: 1e6, xMax: 2e6, yMin: 0, yMax: 1e4)
        #expect(throws: PlainFailure.self) { try IngestRun(workplace.request).preview() }
    }

    @Test("the list has a row for every product, with where it is described and how it is told")
    func list() throws {
        let table = try ProductCatalog().table
        #expect(table.rows.count == ProductCatalog.sources.count)
        let bedmap = try #require(table.rows.first { $0[0].contains("Bedmap3") })
        #expect(bedmap[1].contains("thickness") && bedmap[1].contains("mask"))
        #expect(bedmap[3].hasPrefix("https://doi.org/10.5285/"))
        #expect(bedmap[4].contains("ice_thickness"))
        #expect(table.rows.dropLast().allSatisfy { $0[3].hasPrefix("https://") && !$0[4].isEmpty })
        #expect(table.rendered(as: .text).split(separator: "\n").count == table.rows.count + 3)
    }
}
