import Fields
import Foundation
import Ingest
import Logging
import NetCDFFiles
import PointStore
import TestSupport
import Testing

/// A shelf of 20 km x 12 km with walls on three sides and a calving front at x = 20 km, on a velocity grid of 1000 m and
/// a thickness grid of 800 m that share no cell: what the small products of these tests show.
enum SmallShelf {
    static func u(_ x: Double, _ y: Double) -> Double { 300 + 0.02 * x + 0.001 * y }
    static func v(_ x: Double, _ y: Double) -> Double { 0.004 * (y - 6000) + 0.0001 * x }
    static func h(_ x: Double, _ y: Double) -> Double { 500 - 0.01 * x + 0.002 * y }

    /// The mask's code.
    static func cover(_ x: Double, _ y: Double) -> Double {
        if x > 0, x < 20_000, y > 0, y < 12_000 { return 3 }
        return x >= 20_000 ? 0 : 2
    }

    static let bedMachineMeanings: Attribute = .text("ocean ice_free_land grounded_ice floating_ice lake_vostok")

    static func projection(_ name: String) -> (name: String, attributes: [(String, Attribute)]) {
        (
            name,
            [
                ("grid_mapping_name", .text("polar_stereographic")), ("latitude_of_projection_origin", .numbers([-90])),
                ("standard_parallel", .numbers([-71])), ("straight_vertical_longitude_from_pole", .numbers([0])),
                ("false_easting", .numbers([0])), ("false_northing", .numbers([0])),
            ]
        )
    }

    /// As NSIDC-0754 v1: 24 x 16 cells, y descending.
    static func measures() -> GridFile {
        GridFile(
            x: (0..<24).map { -1500 + 1000 * Double($0) }, y: (0..<16).map { 13_500 - 1000 * Double($0) },
            fields: [velocity("VX", u), velocity("VY", v)], mapping: projection("coord_system"),
            globals: [("title", .text("MEaSUREs Phase-Based Antarctica Ice Velocity Map 450m spacing"))])
    }

    static func velocity(_ name: String, _ value: @escaping (Double, Double) -> Double) -> GridFile.Field {
        GridFile.Field(
            name: name, attributes: [("units", .text("meter/year")), ("grid_mapping", .text("coord_system"))],
            value: value)
    }

    /// As BedMachine Antarctica v2: 30 x 20 cells with 32-bit whole coordinates.
    static func bedMachine() -> GridFile {
        GridFile(
            x: (0..<30).map { -1600 + 800 * Double($0) }, y: (0..<20).map { 13_600 - 800 * Double($0) },
            axisType: .int32,
            axisUnit: "meter",
            fields: [
                GridFile.Field(
                    name: "thickness",
                    attributes: [
                        ("units", .text("meters")), ("_FillValue", .numbers([-9999])),
                        ("grid_mapping", .text("mapping")),
                    ]
                ) { x, y in cover(x, y) == 3 ? h(x, y) : (cover(x, y) == 0 ? 0 : -9999) },
                GridFile.Field(
                    name: "mask", type: .int8,
                    attributes: [("flag_values", .numbers([0, 1, 2, 3, 4])), ("flag_meanings", bedMachineMeanings)],
                    value: cover),
            ], mapping: projection("mapping"),
            globals: [
                ("version", .text("15-Jul-2020 (v2) - crop")), ("no_data", .numbers([-9999])),
                ("sea_water_density (kg m-3)", .numbers([1027])), ("ice_density (kg m-3)", .numbers([917])),
            ])
    }

    /// Velocity, thickness and mask on one grid.
    static func oneFile() -> GridFile {
        var file = measures()
        let bed = bedMachine()
        file.globals = []
        file.fields += [bed["thickness"], bed["mask"]]
        for number in file.fields.indices { file.fields[number][attribute: "grid_mapping"] = nil }
        file.mapping = nil
        return file
    }
}

/// A folder with products, and what became of ingesting them.
struct Workplace {
    let folder: TemporaryFolder
    var request: IngestRequest

    /// Writes the files as measures.nc and, where given, bed.nc.
    init(
        _ velocity: GridFile? = SmallShelf.measures(), _ thickness: GridFile? = SmallShelf.bedMachine(),
        points: Int = 5000
    ) throws {
        folder = try TemporaryFolder()
        request = IngestRequest(velocity: folder.file("measures.nc"))
        request.store = folder.file("store.nc")
        request.points = points
        try velocity?.write(to: folder.file("measures.nc"))
        if let thickness {
            try thickness.write(to: folder.file("bed.nc"))
            request.thickness = folder.file("bed.nc")
        }
    }

    @discardableResult
    func ingest() throws -> IngestReport {
        // Notes are for people; a test looks at the report.
        try IngestRun(request, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }).run()
    }

    /// Ingests and opens the store.
    func store() throws -> OpenStore {
        try ingest()
        return try open()
    }

    func open() throws -> OpenStore { OpenStore(reader: try StoreReader(path: request.store), folder: folder) }

    /// The failure of an ingest that must fail, after a look that it left nothing behind.
    func failure() -> (any Failure)? {
        do {
            try ingest()
            return nil
        } catch {
            let leftovers = folder.names.filter { $0.contains("store.nc") }
            return leftovers.isEmpty ? error as? any Failure : nil
        }
    }
}

/// An open store, and the folder that must outlive it.
struct OpenStore {
    let reader: StoreReader
    let folder: TemporaryFolder

    var description: StoreDescription { reader.description }
    func count(_ set: PointSet) -> Int { reader.count(set) }
    func cells(of set: PointSet) throws -> [Int32] { try reader.cells(of: set) }

    /// A column in physical units.
    func physical(_ set: PointSet, _ column: Column) throws -> [Double] {
        let normalization = description.normalizations[column] ?? Normalization(offset: 0, scale: 1)
        return try stored(set, column).map { normalization.physical(Double($0)) }
    }

    func stored(_ set: PointSet, _ column: Column) throws -> [Float] {
        try reader.read(set, 0..<count(set))[set.columns.firstIndex(of: column)!]
    }

    /// Every column of every set, to be compared with another store's.
    func allColumns() throws -> [PointSet: [[Float]]] {
        var all: [PointSet: [[Float]]] = [:]
        for set in PointSet.allCases where count(set) > 0 {
            all[set] = try reader.read(set, 0..<count(set))
        }
        return all
    }

    /// Every cell lies where its grid says, and holds the small shelf's values there. `dx` and `dy` are the origin of the
    /// file's coordinates in the shelf's.
    func expectSmallShelf(tolerance: Double, dx: Double = 0, dy: Double = 0) throws {
        for set in [PointSet.velocity, .thickness] {
            let name = try #require(description.gridOfSet[set])
            let grid = try #require(description.grids.first { $0.name == name }).grid
            let (x, y) = (try physical(set, .x), try physical(set, .y))
            let columns: [(Column, (Double, Double) -> Double)] =
                set == .velocity ? [(.u, SmallShelf.u), (.v, SmallShelf.v)] : [(.h, SmallShelf.h)]
            let cells = try cells(of: set)
            #expect(cells.count == Set(cells).count && cells.count > 200)
            for (column, truth) in columns {
                let values = try physical(set, column)
                for (place, cell) in cells.enumerated() {
                    let (cx, cy) = (grid.x[Int(cell) % grid.columns], grid.y[Int(cell) / grid.columns])
                    guard abs(x[place] - cx) < 1e-3, abs(y[place] - cy) < 1e-3,
                        abs(values[place] - truth(cx + dx, cy + dy)) <= tolerance
                    else {
                        Issue.record("\(column) at (\(x[place]), \(y[place])) is \(values[place])")
                        return
                    }
                }
            }
        }
    }
}
