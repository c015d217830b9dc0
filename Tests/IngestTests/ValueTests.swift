import Fields
import Foundation
import Ingest
import NetCDFFiles
import PointStore
import Testing

@Suite("Values of a store are those of the products")
struct ValueTests {
    @Test("every cell of floating ice is there once, with its own position and value")
    func realCells() throws {
        let store = try Workplace().store()
        #expect(store.count(.velocity) == 20 * 12)
        #expect(store.count(.thickness) == 24 * 14)
        let cells = try store.cells(of: .velocity)
        #expect(Set(cells).count == cells.count)
        let grid = try #require(store.description.grids.first { $0.name == "velocity" }).grid
        let (x, y) = (try store.physical(.velocity, .x), try store.physical(.velocity, .y))
        let (u, v) = (try store.physical(.velocity, .u), try store.physical(.velocity, .v))
        for (place, cell) in cells.enumerated() {
            let (cx, cy) = (grid.x[Int(cell) % grid.columns], grid.y[Int(cell) / grid.columns])
            // float32 of a normalised value: half a unit in the last place of 1, times the scale; and of the file's value.
            #expect(abs(x[place] - cx) < 1e-3 && abs(y[place] - cy) < 1e-3)
            #expect(abs(u[place] - SmallShelf.u(cx, cy)) < 1e-4 && abs(v[place] - SmallShelf.v(cx, cy)) < 1e-4)
        }
        let h = try store.physical(.thickness, .h)
        let bed = try #require(store.description.grids.first { $0.name == "thickness" }).grid
        for (place, cell) in try store.cells(of: .thickness).enumerated() {
            #expect(abs(h[place] - SmallShelf.h(bed.x[Int(cell) % bed.columns], bed.y[Int(cell) / bed.columns])) < 1e-4)
        }
    }

    @Test(
        "units of speed are converted to metres per year of 365 days",
        arguments: [
            ("m s-1", 1 / 31_536_000.0), ("m/day", 1 / 365.0), ("km yr-1", 0.001), ("m a-1", 1), ("metre year-1", 1),
        ]
            as [(String, Double)])
    func units(unit: String, perMetrePerYear: Double) throws {
        var file = SmallShelf.measures()
        for name in ["VX", "VY"] {
            let value = file[name].value
            file[name].type = .double
            file[name].value = { value($0, $1) * perMetrePerYear }
            file[name][attribute: "units"] = .text(unit)
        }
        let store = try Workplace(file).store()
        let plain = try Workplace().store()
        for (a, b) in zip(try store.physical(.velocity, .u), try plain.physical(.velocity, .u)) {
            #expect(abs(a - b) < 1e-3)
        }
    }

    @Test("packed 16-bit values are unpacked, and their fill is compared before")
    func packed() throws {
        var file = SmallShelf.measures()
        for name in ["VX", "VY"] {
            let value = file[name].value
            file[name].type = .int16
            file[name].attributes += [
                ("scale_factor", .numbers([0.05])), ("add_offset", .numbers([100])), ("_FillValue", .numbers([-32767])),
            ]
            file[name].value = { x, y in
                x == 4500 && y == 4500 ? -32767 : ((value(x, y) - 100) / 0.05).rounded()
            }
        }
        let workplace = try Workplace(file)
        let store = try workplace.store()
        #expect(store.count(.velocity) == 239)
        let plain = try Workplace().store()
        let cells = Dictionary(
            uniqueKeysWithValues: zip(try plain.cells(of: .velocity), try plain.physical(.velocity, .u)))
        for (cell, u) in zip(try store.cells(of: .velocity), try store.physical(.velocity, .u)) {
            // Half a step of the packing.
            #expect(abs(u - (cells[cell] ?? .nan)) <= 0.0251)
        }
    }

    @Test(
        "no data in every spelling is dropped and counted",
        arguments: [
            ("NaN", Double.nan, nil, nil), ("default fill", 9.969209968386869e36, nil, nil), ("huge", 1e30, nil, nil),
            ("declared fill", -9999, "_FillValue", nil), ("missing_value", -1, "missing_value", nil),
            ("undeclared negative", -9999, nil, nil), ("zero", 0, nil, nil),
            ("no_data of the file", 12_345, nil, "no_data"),
        ] as [(String, Double, String?, String?)])
    func noData(_: String, mark: Double, attribute: String?, global: String?) throws {
        var bed = SmallShelf.bedMachine()
        bed["thickness"][attribute: "_FillValue"] = nil
        bed.globals.removeAll { $0.0 == "no_data" }
        if let attribute { bed["thickness"][attribute: attribute] = .numbers([mark]) }
        if let global { bed.globals.append((global, .numbers([mark]))) }
        bed["thickness"].value = { x, y in
            if SmallShelf.cover(x, y) != 3 { return 0 }
            return x < 5000 ? mark : SmallShelf.h(x, y)
        }
        let workplace = try Workplace(SmallShelf.measures(), bed)
        let report = try workplace.ingest()
        let tally = try #require(report.tallies.first { $0.what == "thickness cells" })
        // Columns at 0.8, 1.6, ... 4.8 km km; 14 rows.
        let dropped = tally.dropped.reduce(0) { $0 + $1.count }
        #expect(dropped == 84)
        #expect(tally.kept == 336 - 84)
        let h = try workplace.open().physical(.thickness, .h)
        #expect(h.allSatisfy { $0 > 200 && $0 < 600 })
    }

    @Test(
        "values outside of what the file calls valid are no data",
        arguments: [
            [("valid_range", [0.0, 3000])], [("valid_min", [0]), ("valid_max", [3000])], [("valid_max", [3000])],
        ])
    func validRange(attributes: [(String, [Double])]) throws {
        var bed = SmallShelf.bedMachine()
        for (name, numbers) in attributes { bed["thickness"][attribute: name] = .numbers(numbers) }
        let value = bed["thickness"].value
        bed["thickness"].value = { x, y in x < 5000 && SmallShelf.cover(x, y) == 3 ? 4500 : value(x, y) }
        let workplace = try Workplace(SmallShelf.measures(), bed)
        #expect(try workplace.ingest().tallies.first { $0.what == "thickness cells" }?.kept == 336 - 84)
        #expect(try workplace.open().physical(.thickness, .h).allSatisfy { $0 < 600 })
        #expect(
            try workplace.ingest().warnings.contains {
                $0.contains("on 84 cells 'thickness' is outside the variable's valid_range")
            })
        bed["thickness"][attribute: "valid_range"] = .numbers([3000, 0])
        let failure = #expect(throws: PlainFailure.self) {
            try Workplace(SmallShelf.measures(), bed).ingest()
        }
        #expect(failure?.explanation.contains("valid_range") == true)
    }

    @Test("a limit of what is valid is valid, as the variable's type rounds it")
    func validLimit() throws {
        var file = SmallShelf.measures()
        file["VX"][attribute: "valid_max"] = .numbers([300.1])
        file["VX"].value = { _, y in y == 4500 ? 300.1 : 200 + y / 1000 }
        #expect(try Workplace(file).store().count(.velocity) == 240)
    }

    @Test("cells with one velocity component are no data")
    func halfAVelocity() throws {
        var file = SmallShelf.measures()
        file["VY"].value = { x, y in x == 3500 ? .nan : SmallShelf.v(x, y) }
        let report = try Workplace(file).ingest()
        #expect(report.tallies.first { $0.what == "velocity cells" }?.kept == 240 - 12)
    }

    @Test("a velocity of zero is data")
    func zeroVelocity() throws {
        var file = SmallShelf.measures()
        file["VX"].value = { x, y in x == 3500 ? 0 : SmallShelf.u(x, y) }
        #expect(try Workplace(file).store().count(.velocity) == 240)
    }

    @Test("weights follow the error fields, and are 1 on average")
    func weights() throws {
        var file = SmallShelf.measures()
        for name in ["ERRX", "ERRY"] { file.fields.append(SmallShelf.velocity(name) { x, _ in x < 10_000 ? 2 : 4 }) }
        let store = try Workplace(file).store()
        let weight = try store.physical(.velocity, .weightU)
        let x = try store.physical(.velocity, .x)
        let all = try weight + store.physical(.velocity, .weightV)
        #expect(abs(all.reduce(0, +) / Double(all.count) - 1) < 1e-6)
        let near = try #require(zip(x, weight).first { $0.0 < 10_000 }).1
        let far = try #require(zip(x, weight).first { $0.0 > 10_000 }).1
        #expect(abs(near / far - 4) < 1e-5)
        #expect(try Workplace().store().physical(.velocity, .weightU).allSatisfy { $0 == 1 })
    }

    @Test("errors of one component are taken, and the other counts like it")
    func errorsOfOneComponent() throws {
        for name in ["ERRX", "ERRY"] {
            var file = SmallShelf.measures()
            file.fields.append(SmallShelf.velocity(name) { x, _ in x < 10_000 ? 2 : 4 })
            let store = try Workplace(file).store()
            let weights = try (store.physical(.velocity, .weightU), store.physical(.velocity, .weightV))
            let (known, other) = name == "ERRX" ? weights : (weights.1, weights.0)
            #expect(Set(known.map { ($0 * 1e4).rounded() }).count == 2)
            #expect(Set(other.map { ($0 * 1e4).rounded() }).count == 1)
        }
    }

    @Test("a negative error is none, and is told; fields without a usable one are as if they were not there")
    func uselessErrors() throws {
        func report(_ error: @escaping (Double, Double) -> Double) throws -> (weights: [Double], warnings: [String]) {
            var file = SmallShelf.measures()
            for name in ["ERRX", "ERRY"] { file.fields.append(SmallShelf.velocity(name, error)) }
            let workplace = try Workplace(file)
            let warnings = try workplace.ingest().warnings
            return (try workplace.open().physical(.velocity, .weightU), warnings)
        }
        let negative = try report { x, _ in x < 10_000 ? -1 : x < 15_000 ? 5 : 10 }
        // Not known counts like the median.
        #expect(Set(negative.weights.map { ($0 * 1e4).rounded() }).count == 2)
        #expect(negative.warnings.contains { $0.contains("'ERRX', 'ERRY' is negative on 120 cells") })
        for useless in [0, -5, .nan] {
            let none = try report { _, _ in useless }
            #expect(none.weights.allSatisfy { $0 == 1 })
            #expect(none.warnings.contains { $0.contains("no error above 0") }, "\(none.warnings)")
        }
        let huge = try report { _, _ in 1e12 }
        #expect(huge.warnings.contains { $0.contains("more than ten times the values") }, "\(huge.warnings)")
        #expect(try report { _, _ in 5 }.warnings.isEmpty)
    }

    @Test("weights of the thickness follow its own errors, and the report tells their median")
    func thicknessWeights() throws {
        var bed = SmallShelf.bedMachine()
        var field = bed["thickness"]
        field.name = "errbed"
        // 30 m on most of the shelf.
        field.value = { x, _ in x < 4000 ? 60 : 30 }
        bed.fields.append(field)
        let workplace = try Workplace(SmallShelf.measures(), bed)
        let report = try workplace.ingest()
        let store = try workplace.open()
        let weight = try store.physical(.thickness, .weightH)
        let x = try store.physical(.thickness, .x)
        let near = try #require(zip(x, weight).first { $0.0 < 4000 }).1
        let far = try #require(zip(x, weight).first { $0.0 > 4000 }).1
        #expect(abs(far / near - 4) < 1e-5)
        #expect(try store.physical(.velocity, .weightU).allSatisfy { $0 == 1 })
        #expect(report.lines.contains { $0.contains("thickness cells") && $0.contains("errors (median 30 m)") })
        #expect(!report.lines.contains { $0.contains("velocity cells") && $0.contains("errors") })
    }

    @Test("the region keeps its cells and no others")
    func region() throws {
        var workplace = try Workplace()
        workplace.request.region = Region(xMin: 4000, xMax: 12_000, yMin: 2000, yMax: 9000)
        let store = try workplace.store()
        #expect(store.count(.velocity) == 8 * 7)
        for (x, y) in zip(try store.physical(.velocity, .x), try store.physical(.velocity, .y)) {
            #expect(workplace.request.region.contains(x: x, y: y))
        }
        #expect(store.description.grids.first { $0.name == "velocity" }?.grid.columns == 8)
        #expect(store.count(.front) == 0)
    }

    @Test("densities and the projection travel with the store, completed by the product's ellipsoid")
    func metadata() throws {
        let description = try Workplace().store().description
        #expect(description.productSeaWaterDensity == 1027)
        #expect(description.productIceDensity == 917)
        let projection = try #require(description.grids[0].grid.projection)
        #expect(projection["standard_parallel"] == .number(-71))
        #expect(projection["semi_major_axis"] == .number(6_378_137))
        #expect(description.provenance.first { $0.name == "velocity" }?.text.contains("NSIDC-0754 v1") == true)
        #expect(description.provenance.allSatisfy { !$0.text.contains("/tmp") })
    }

    @Test("one file with one grid gives one stored grid")
    func oneGrid() throws {
        let description = try Workplace(SmallShelf.oneFile(), nil).store().description
        #expect(description.grids.map(\.name) == ["velocity"])
        #expect(description.gridOfSet[.thickness] == "velocity")
    }
}
