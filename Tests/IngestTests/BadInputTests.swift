import Fields
import Foundation
import Ingest
import MapProjections
import NetCDFFiles
import PointStore
import TestSupport
import Testing

/// A way to spoil the products, and what must be said about it.
struct Fault: CustomTestStringConvertible, Sendable {
    var name: String
    var kind = FailureKind.badData
    /// Words that the one line must hold: file, variable and reason.
    var words: [String]
    var spoil: @Sendable (inout GridFile, inout GridFile) -> Void

    var testDescription: String { name }

    static let all: [Fault] = [
        Fault(name: "one component is missing", words: ["measures.nc", "'VY'", "'VX'"]) { v, _ in
            v.fields.removeAll { $0.name == "VY" }
        },
        Fault(name: "no velocity at all", words: ["measures.nc", "no velocity", "'speed'"]) { v, _ in
            v.fields = [SmallShelf.velocity("speed", SmallShelf.u)]
        },
        Fault(name: "thickness is missing", words: ["bed.nc", "no ice thickness", "--thickness"]) { _, t in
            t.fields.removeAll { $0.name == "thickness" }
        },
        Fault(name: "mask is missing", words: ["bed.nc", "no ice mask"]) { _, t in
            t.fields.removeAll { $0.name == "mask" }
        },
        Fault(name: "no coordinates", words: ["measures.nc", "'VX'", "coordinates"]) { v, _ in
            v.xName = "columns"
        },
        Fault(name: "speed without a unit", words: ["measures.nc", "'VX'", "no units"]) { v, _ in
            v["VX"][attribute: "units"] = nil
        },
        Fault(name: "an unknown unit", words: ["measures.nc", "'VY'", "'furlong/fortnight'"]) { v, _ in
            v["VY"][attribute: "units"] = .text("furlong/fortnight")
        },
        Fault(name: "thickness in a unit of speed", words: ["bed.nc", "'thickness'", "'m/s'"]) { _, t in
            t["thickness"][attribute: "units"] = .text("m/s")
        },
        Fault(name: "axes without a unit", words: ["measures.nc", "'x'", "no units"]) { v, _ in v.axisUnit = nil },
        Fault(name: "axes in degrees", words: ["bed.nc", "'x'", "'degrees_east'", "EPSG:3031"]) { _, t in
            t.axisUnit = "degrees_east"
        },
        Fault(name: "a velocity that is the same everywhere", words: ["measures.nc", "'VX'", "100"]) { v, _ in
            for name in ["VX", "VY"] { v[name].value = { _, _ in 100 } }
        },
        Fault(name: "an axis of one value", words: ["measures.nc", "'x'", "same value"]) { v, _ in
            v.x = v.x.map { _ in 5 }
        },
        Fault(name: "fewer words than values of a mask", words: ["bed.nc", "'mask'", "flag_meanings"]) { _, t in
            t["mask"][attribute: "flag_meanings"] = .text("ocean ice_free_land")
        },
        Fault(name: "a number of EPSG against parameters", words: ["measures.nc", "bed.nc", "standard_parallel"]) {
            v, _ in
            v.mapping?.attributes = [("spatial_epsg", .text("3413"))]
        },
        Fault(name: "an uneven axis", words: ["measures.nc", "'y'", "index 5"]) { v, _ in v.y[5] += 100 },
        Fault(name: "an axis that turns back", words: ["measures.nc", "'x'", "evenly"]) { v, _ in v.x[3] = v.x[1] },
        Fault(name: "an axis with NaN", words: ["measures.nc", "'x'", "finite"]) { v, _ in v.x[3] = .nan },
        Fault(name: "all velocity is NaN", words: ["measures.nc", "'VX'", "240 floating cells"]) { v, _ in
            v["VX"].value = { _, _ in .nan }
        },
        Fault(name: "no thickness on floating ice", words: ["bed.nc", "'thickness'", "no data"]) { _, t in
            t["thickness"].value = { _, _ in 0 }
        },
        Fault(name: "no floating ice", words: ["bed.nc", "'mask'", "no floating ice"]) { _, t in
            t["mask"].value = { _, _ in 2 }
        },
        Fault(name: "an unknown mask value", words: ["bed.nc", "'mask'", "7"]) { _, t in
            t["mask"].value = { x, y in x == 0 ? 7 : SmallShelf.cover(x, y) }
        },
        Fault(name: "an unknown word for floating ice", words: ["bed.nc", "'mask'", "'slush'"]) { _, t in
            t["mask"][attribute: "flag_meanings"] = .text("ocean ice_free_land grounded_ice slush lake_vostok")
        },
        Fault(name: "grids that do not overlap", words: ["measures.nc", "bed.nc", "do not overlap"]) { _, t in
            t.x = t.x.map { $0 + 1_000_000 }
        },
        Fault(name: "two projections", words: ["measures.nc", "bed.nc", "'standard_parallel'", "70"]) { _, t in
            t.mapping?.attributes[2] = ("standard_parallel", .numbers([70]))
        },
        Fault(
            name: "two projections that only a text describes",
            words: ["measures.nc", "bed.nc", "EPSG", "3031", "3412"]
        ) {
            v, t in
            v.mapping?.attributes = [("crs_wkt", .text(WellKnownText.wgs84))]
            t.mapping?.attributes = [("spatial_ref", .text(WellKnownText.hughes))]
        },
        Fault(
            name: "another kind of projection that only a text describes",
            words: ["measures.nc", "bed.nc", "lambert_azimuthal_equal_area", "polar_stereographic"]
        ) { v, _ in
            v.mapping?.attributes = [("spatial_ref", .text(WellKnownText.equalArea))]
        },
        Fault(name: "a scale against a parallel", words: ["measures.nc", "bed.nc", "scale"]) { _, t in
            t.mapping?.attributes[2] = ("scale_factor_at_projection_origin", .numbers([0.5]))
        },
        Fault(name: "a text against parameters", words: ["measures.nc", "bed.nc", "3412", "3031"]) { v, t in
            t.mapping?.attributes = [("spatial_ref", .text(WellKnownText.hughes))]
        },
        Fault(name: "one component in m/day", words: ["measures.nc", "'VY'", "'VX'", "m/day", "units"]) { v, _ in
            let value = v["VX"].value
            v["VY"].value = { value($0, $1) * 1.2 / 365 }
        },
        Fault(name: "one component in m/s", words: ["measures.nc", "'VX'", "m/s", "units"]) { v, _ in
            let value = v["VX"].value
            v["VX"].value = { value($0, $1) / 31_536_000 }
            v["VY"].value = { value($0, $1) * 0.4 }
        },
        Fault(name: "one component in m/year as m/day", words: ["measures.nc", "'VY'", "m yr-1"]) { v, _ in
            let value = v["VX"].value
            for name in ["VX", "VY"] { v[name][attribute: "units"] = .text("m/day") }
            v["VX"].value = { value($0, $1) / 365 }
            v["VY"].value = { value($0, $1) }
        },
        Fault(name: "a scale factor of zero", words: ["measures.nc", "'VX'", "'scale_factor'"]) { v, _ in
            v["VX"].attributes.append(("scale_factor", .numbers([0])))
        },
        Fault(name: "a scale factor that is text", words: ["measures.nc", "'VX'", "'scale_factor'", "'one'"]) { v, _ in
            v["VX"].attributes.append(("scale_factor", .text("one")))
        },
        Fault(name: "a fill value that is text", words: ["bed.nc", "'thickness'", "'missing_value'"]) { _, t in
            t["thickness"].attributes.append(("missing_value", .text("none")))
        },
        Fault(
            name: "velocity and thickness known in different places",
            words: ["measures.nc", "bed.nc", "no floating cell"]
        ) { v, t in
            v["VX"].value = { x, y in x < 9000 ? SmallShelf.u(x, y) : .nan }
            t["thickness"].value = { x, y in x > 11_000 ? SmallShelf.h(x, y) : 0 }
        },
        Fault(name: "a unit that is a number", words: ["measures.nc", "'units'", "'VX'", "(5)", "text like"]) { v, _ in
            v["VX"][attribute: "units"] = .numbers([5])
        },
        Fault(name: "text in the place of numbers", words: ["measures.nc", "'VX'", "text, expected numbers"]) { v, _ in
            v["VX"].type = .text
        },
        Fault(name: "three times", words: ["measures.nc", "'VX'", "(3, 16, 24)", "'time'", "ncks -d time,0"]) { v, _ in
            v.layout = .timeFirst
            v.times = 3
        },
        Fault(name: "x in kilometres and y in metres", words: ["measures.nc", "'x'", "'y'", "kilometres"]) { v, _ in
            v.x = v.x.map { $0 / 1000 }
        },
        Fault(name: "x and y in thousandths of a metre", words: ["measures.nc", "'x'", "0.1 m to 100 km"]) { v, _ in
            (v.x, v.y) = (v.x.map { $0 / 1e4 }, v.y.map { $0 / 1e4 })
        },
        Fault(name: "x a million times smaller than y", words: ["measures.nc", "'x'", "'y'", "nearly square"]) { v, _ in
            v.x = v.x.map { $0 / 1e6 }
        },
        Fault(name: "a thickness of micrometres", words: ["bed.nc", "'thickness'", "1 to 10000 m", "'units'"]) { _, t in
            t["thickness"].value = { SmallShelf.h($0, $1) * 1e-6 }
        },
        Fault(name: "kilometres that are called metres", words: ["bed.nc", "'thickness'", "0.4"]) { _, t in
            t["thickness"].value = { SmallShelf.h($0, $1) * 1e-3 }
        },
        Fault(name: "a thickness of a hundred kilometres", words: ["bed.nc", "'thickness'", "10000 m"]) { _, t in
            t["thickness"].value = { SmallShelf.h($0, $1) * 300 }
        },
        Fault(name: "speeds that nothing has", words: ["measures.nc", "'VX'", "less than 1000000 m yr-1"]) { v, _ in
            for name in ["VX", "VY"] {
                let value = v[name].value
                v[name].value = { value($0, $1) * 1e6 }
            }
        },
        Fault(name: "terminal escapes in a unit are not printed", words: ["'  [31m'"]) { v, _ in
            v["VX"][attribute: "units"] = .text("\u{1b}\u{7}[31m")
        },
    ]
}

@Suite("Bad input is one clear error and leaves nothing behind")
struct BadInputTests {
    @Test("a spoiled product is refused, naming file, variable and reason", arguments: Fault.all)
    func faults(fault: Fault) throws {
        var velocity = SmallShelf.measures()
        var thickness = SmallShelf.bedMachine()
        fault.spoil(&velocity, &thickness)
        let failure = try #require(try Workplace(velocity, thickness).failure())
        #expect(failure.kind == fault.kind)
        #expect(!failure.explanation.contains("\n"))
        for word in fault.words {
            #expect(failure.explanation.contains(word), "\(failure.explanation)")
        }
    }

    @Test("the same products unspoiled are accepted")
    func unspoiled() throws {
        #expect(try Workplace().ingest().counts[.velocity] == 240)
    }

    @Test("a region without cells, and one without floating ice, are refused")
    func regions() throws {
        var workplace = try Workplace()
        workplace.request.region = Region(xMin: 1e6, xMax: 2e6, yMin: 0, yMax: 1e4)
        #expect(workplace.failure()?.explanation.contains("-1500,21500,-1500,13500") == true)
        workplace.request.region = Region(xMin: 20_400, xMax: 23_000, yMin: 0, yMax: 1e4)
        #expect(workplace.failure()?.explanation.contains("no floating ice in the region") == true)
    }

    @Test("fields of one file with different shapes are refused")
    func shapes() throws {
        let workplace = try Workplace(nil, nil)
        let file = try NetCDFFile(creating: workplace.request.velocity)
        let x = try file.define(dimension: "x", length: 3)
        let y = try file.define(dimension: "y", length: 4)
        let other = try file.define(dimension: "other", length: 5)
        let axes = [
            try file.define(variable: "x", .double, over: [x]), try file.define(variable: "y", .double, over: [y]),
        ]
        for axis in axes { try axis.setAttribute("units", .text("m")) }
        for (name, dimensions) in [("VX", [y, x]), ("VY", [y, other]), ("thickness", [y, x]), ("mask", [y, x])] {
            try file.define(variable: name, .float, over: dimensions).setAttribute(
                "units", .text(name.hasPrefix("V") ? "m/s" : "m"))
        }
        try file.endDefinitions()
        for (axis, count) in zip(axes, [3, 4]) { try axis.write((0..<count).map { Double($0) }) }
        try file.requireVariable("VX").write([Float](repeating: 1, count: 12))
        try file.requireVariable("VY").write([Float](repeating: 1, count: 20))
        try file.requireVariable("thickness").write([Float](repeating: 300, count: 12))
        try file.requireVariable("mask").write([Float](repeating: 3, count: 12))
        try file.close()
        let failure = try #require(workplace.failure())
        #expect(failure.kind == .badData)
        #expect(failure.explanation.contains("'VY' (4, 5)"), "\(failure.explanation)")
    }

    @Test("a file that is absent, no NetCDF, empty, a folder or cut anywhere is refused")
    func damagedFiles() throws {
        let workplace = try Workplace()
        let path = workplace.request.velocity
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))

        try Data("not a NetCDF file".utf8).write(to: URL(fileURLWithPath: path))
        #expect(workplace.failure()?.kind == .badData)
        try Data().write(to: URL(fileURLWithPath: path))
        #expect(workplace.failure()?.explanation.contains("an empty file") == true)
        try Data("<!DOCTYPE html><title>Earthdata Login</title>".utf8).write(to: URL(fileURLWithPath: path))
        #expect(workplace.failure()?.explanation.contains("a web page") == true)
        for part in 1..<20 {
            try whole.prefix(whole.count * part / 20).write(to: URL(fileURLWithPath: path))
            let failure = try #require(workplace.failure(), "cut to \(part) twentieths")
            #expect(failure.kind == .badData)
            #expect(failure.explanation.contains("measures.nc"))
        }
        try FileManager.default.removeItem(atPath: path)
        #expect(workplace.failure()?.kind == .missingInput)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        #expect(workplace.failure()?.kind == .badData)
    }

    @Test("a store that would not fit on the disk is refused before the work")
    func diskTooSmall() throws {
        var workplace = try Workplace()
        workplace.request.points = 1_000_000_000_000
        let failure = try #require(workplace.failure())
        #expect(failure.kind == .inputOutput)
        #expect(failure.explanation.contains("store.nc: needs"))
        var stages: [IngestStage] = []
        #expect(throws: StoreError.self) {
            try IngestRun(workplace.request) { stage, _, _ in stages.append(stage) }.run()
        }
        #expect(stages.isEmpty)
    }

    @Test("a store cannot stand where a folder or a device is, nor in a folder that is not there")
    func badOutput() throws {
        var workplace = try Workplace()
        workplace.request.store = workplace.folder.path
        #expect(workplace.failure()?.kind == .inputOutput)
        workplace.request.store = "/dev/full"
        #expect(workplace.failure()?.kind == .inputOutput)
        workplace.request.store = workplace.folder.file("absent/store.nc")
        #expect(workplace.failure()?.kind == .inputOutput)
    }

    @Test("a store never replaces its own input")
    func outputIsInput() throws {
        var workplace = try Workplace()
        workplace.request.store = workplace.request.velocity
        let before = try Data(contentsOf: URL(fileURLWithPath: workplace.request.velocity))
        let failure = #expect(throws: PlainFailure.self) { try workplace.ingest() }
        #expect(failure?.kind == .usage)
        #expect(try Data(contentsOf: URL(fileURLWithPath: workplace.request.velocity)) == before)
    }

    @Test("the store that was there stays whole when a new one fails")
    func oldStoreStays() throws {
        var workplace = try Workplace()
        try workplace.ingest()
        let before = try Data(contentsOf: URL(fileURLWithPath: workplace.request.store))
        workplace.request.region = Region(xMin: 1e6, xMax: 2e6, yMin: 0, yMax: 1e4)
        #expect(throws: PlainFailure.self) { try workplace.ingest() }
        #expect(try Data(contentsOf: URL(fileURLWithPath: workplace.request.store)) == before)
    }
}

/// Well-known text of a polar stereographic projection of the south, as GDAL writes it.
enum WellKnownText {
    static func antarctic(
        parallel: Int = -71, ellipsoid: String = "\"WGS 84\",6378137,298.257223563", end: String = ""
    ) -> String {
        "PROJCS[\"a name, with [brackets]\",GEOGCS[\"a datum\",DATUM[\"a datum\",SPHEROID[\(ellipsoid)]],"
            + "PRIMEM[\"Greenwich\",0],UNIT[\"degree\",0.0174532925199433],AUTHORITY[\"EPSG\",\"4326\"]],"
            + "PROJECTION[\"Polar_Stereographic\"],PARAMETER[\"latitude_of_origin\",\(parallel)],"
            + "PARAMETER[\"central_meridian\",0],PARAMETER[\"false_easting\",0],PARAMETER[\"false_northing\",0],"
            + "UNIT[\"metre\",1]\(end)]"
    }
    static let equalArea = antarctic().replacingOccurrences(
        of:
            "PROJECTION[\"Polar_Stereographic\"],PARAMETER[\"latitude_of_origin\",-71],PARAMETER[\"central_meridian\",0]",
        with:
            "PROJECTION[\"Lambert_Azimuthal_Equal_Area\"],PARAMETER[\"latitude_of_center\",-90],PARAMETER[\"longitude_of_center\",0]"
    )
    static let wgs84 = antarctic(end: ",AUTHORITY[\"EPSG\",\"3031\"]")
    static let hughes = antarctic(
        parallel: -70, ellipsoid: "\"Hughes 1980\",6378273,298.279411123064", end: ",AUTHORITY[\"EPSG\",\"3412\"]")
}

@Suite("Values that no ice has are told")
struct PlausibilityTests {
    private func warnings(_ change: (inout GridFile, inout GridFile) -> Void) throws -> [String] {
        var velocity = SmallShelf.measures()
        var thickness = SmallShelf.bedMachine()
        change(&velocity, &thickness)
        return try Workplace(velocity, thickness).ingest().warnings
    }

    @Test("plausible products bring no such warning")
    func none() throws {
        #expect(try warnings { _, _ in }.isEmpty)
    }

    @Test("ice faster than 20 km a year, thicker than 5 km, of negative thickness")
    func each() throws {
        let fast = try warnings { v, _ in
            for name in ["VX", "VY"] { v[name][attribute: "units"] = .text("m/day") }
        }
        #expect(fast.contains { $0.contains("measures.nc") && $0.contains("faster than any ice") })
        let thick = try warnings { _, t in
            t["thickness"].value = { x, y in SmallShelf.cover(x, y) == 3 ? 20 * SmallShelf.h(x, y) : 0 }
        }
        #expect(thick.contains { $0.contains("bed.nc") && $0.contains("over 5 km") })
        let negative = try warnings { _, t in
            t["thickness"].value = { x, y in x < 5000 ? -1 : SmallShelf.h(x, y) }
        }
        #expect(
            negative.contains { $0.contains("bed.nc") && $0.contains("negative on 84 cells") }, "\(negative)")
    }

    @Test("one spike, speeds in another unit, zeros, and a mark for no data that nothing declares")
    func velocities() throws {
        let spike = try warnings { v, _ in
            let value = v["VX"].value
            v["VX"].value = { x, y in x == 11_500 && y == 6500 ? 1e9 : value(x, y) }
        }
        #expect(spike.contains { $0.contains("on 1 cells") && $0.contains("faster") }, "\(spike)")
        let slow = try warnings { v, _ in
            for name in ["VX", "VY"] {
                let value = v[name].value
                v[name].value = { value($0, $1) / 31_536_000 }
            }
        }
        #expect(slow.contains { $0.contains("slower than any ice shelf") }, "\(slow)")
        let zeros = try warnings { v, _ in
            for name in ["VX", "VY"] {
                let value = v[name].value
                v[name].value = { x, y in x < 4000 ? 0 : value(x, y) }
            }
        }
        #expect(zeros.contains { $0.contains("exactly 0") }, "\(zeros)")

        var velocity = SmallShelf.measures()
        for name in ["VX", "VY"] {
            let value = velocity[name].value
            velocity[name].value = { x, y in x < 4000 ? -9999 : value(x, y) }
        }
        let report = try Workplace(velocity, SmallShelf.bedMachine()).ingest()
        #expect(report.warnings.contains { $0.contains("-9999") && $0.contains("left out") }, "\(report.warnings)")
        #expect(report.scales.speed * Constants.secondsPerYear < 2000)
    }

    @Test("a handful of cells is told")
    func fewCells() throws {
        var workplace = try Workplace()
        workplace.request.region = Region(xMin: 12_000, xMax: 21_000, yMin: 1000, yMax: 7000)
        let warnings = try workplace.ingest().warnings
        #expect(warnings.contains { $0.contains("hardly constrain") && $0.contains("--region") }, "\(warnings)")
    }

    @Test("a rectangle in the order of GDAL is told")
    func regionOrder() throws {
        var workplace = try Workplace()
        workplace.request.region = Region(xMin: -60_000, xMax: 60_000, yMin: -50_000, yMax: 50_000)
        #expect(try workplace.ingest().warnings.contains { $0.contains("--region extends far beyond") })
        workplace.request.region = Region(xMin: -5000, xMax: 30_000, yMin: -5000, yMax: 20_000)
        #expect(try workplace.ingest().warnings.isEmpty)
    }

    @Test("a flow along an axis of the grid is no mistake of units", arguments: [0.0, 1e-4, 2e-3, 0.02])
    func alongAxis(share: Double) throws {
        _ = try warnings { v, _ in
            // A plug between walls, which spreads a little.
            v["VX"].value = { _, y in 400 * (1 - pow((y - 6000) / 7000, 4)) }
            v["VY"].value = { x, y in 400 * share * (y - 6000) / 7000 }
        }
    }
}

@Suite("Projections that are the same are taken for the same")
struct ProjectionTests {
    @Test("longitudes that differ by a whole turn, in either file", arguments: [360.0, -360, 720])
    func turns(turn: Double) throws {
        var bed = SmallShelf.bedMachine()
        bed.mapping?.attributes[3] = ("straight_vertical_longitude_from_pole", .numbers([turn]))
        #expect(try Workplace(SmallShelf.measures(), bed).store().count(.velocity) == 240)
    }

    @Test("a text of EPSG:3031 and the parameters; the store then has the parameters")
    func text() throws {
        var velocity = SmallShelf.measures()
        velocity.mapping?.attributes = [("spatial_ref", .text(WellKnownText.wgs84))]
        let store = try Workplace(velocity).store()
        let projection = try #require(store.description.grids.first?.grid.projection)
        #expect(projection["grid_mapping_name"] == .text("polar_stereographic"))
        #expect(projection["standard_parallel"] == .number(-71))
    }
}
