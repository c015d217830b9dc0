import Fields
import Foundation
import Ingest
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
        Fault(name: "axes in degrees", words: ["bed.nc", "'x'", "'degrees_east'"]) { _, t in t.axisUnit = "degrees_east"
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
        #expect(workplace.failure()?.kind == .badData)
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
        let failure = #expect(throws: IngestError.self) { try workplace.ingest() }
        #expect(failure?.kind == .usage)
        #expect(try Data(contentsOf: URL(fileURLWithPath: workplace.request.velocity)) == before)
    }

    @Test("the store that was there stays whole when a new one fails")
    func oldStoreStays() throws {
        var workplace = try Workplace()
        try workplace.ingest()
        let before = try Data(contentsOf: URL(fileURLWithPath: workplace.request.store))
        workplace.request.region = Region(xMin: 1e6, xMax: 2e6, yMin: 0, yMax: 1e4)
        #expect(throws: IngestError.self) { try workplace.ingest() }
        #expect(try Data(contentsOf: URL(fileURLWithPath: workplace.request.store)) == before)
    }
}
