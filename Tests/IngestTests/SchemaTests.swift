import Fields
import Foundation
import Ingest
import MapProjections
import NetCDFFiles
import PointStore
import TestSupport
import Testing

@Suite("Every product is read right as its publisher lays it out, and a broken one is refused")
struct SchemaTests {
    private func schema(_ file: String) throws -> ProductSchema {
        let source = try #require(ProductCatalog.sources.first { $0.file == file })
        return try ProductSchema(toml: String(decoding: source.toml, as: UTF8.self), called: file)
    }

    @Test("the catalog has no schema without a layout, nor a layout without a schema")
    func coverage() {
        let arrays = ["diffice.toml", "pinnicle.toml"]
        #expect(
            Set(ProductCatalog.sources.map(\.file)) == Set(ProductLayout.all.map(\.schema)).union(arrays))
    }

    @Test("values, places, weights, projection and front", arguments: ProductLayout.all)
    func whole(layout: ProductLayout) throws {
        let schema = try schema(layout.schema)
        let files = layout.make()
        let workplace = try Workplace(files.velocity, files.thickness)
        let report = try workplace.ingest()
        #expect(report.sources.contains { $0.product == schema.citation }, "\(report.sources)")
        let store = try workplace.open()
        #expect(store.count(.velocity) == layout.cells)
        #expect((store.count(.front) > 0) == layout.hasFront)
        try store.expectSmallShelf(tolerance: layout.tolerance)
        for grid in store.description.grids { #expect(grid.grid.projection?.epsgCode == layout.epsg) }
        let axes = store.description.grids.map { $0.grid.projection?["semi_minor_axis"] }
        #expect(axes.allSatisfy { $0 == nil })
        let weights = try store.physical(
            layout.isVelocity ? .velocity : .thickness, layout.isVelocity ? .weightU : .weightH)
        let hasTwoErrors = layout.hasErrors && layout.schema != "bedmap3.toml"
        #expect((Set(weights).count > 1) == hasTwoErrors)
    }

    @Test("without any of the variables that it needs", arguments: ProductLayout.all)
    func broken(layout: ProductLayout) throws {
        for name in layout.needed {
            var files = layout.make()
            files.velocity.fields.removeAll { layout.isVelocity && $0.name == name }
            files.thickness.fields.removeAll { !layout.isVelocity && $0.name == name }
            let failure = try #require(
                try Workplace(files.velocity, files.thickness).failure(), "without \(name)")
            #expect(failure.kind == .badData)
            #expect(!failure.explanation.contains("\n"))
            #expect(failure.explanation.contains(layout.isVelocity ? "measures.nc" : "bed.nc"))
            #expect(
                failure.explanation.contains(name) || failure.explanation.contains("thickness"),
                "\(failure.explanation)")
        }
    }

    @Test("without units it is read only where the product is known to have none", arguments: ProductLayout.all)
    func withoutUnits(layout: ProductLayout) throws {
        var files = layout.make()
        let strip = { (file: inout GridFile) in
            for number in file.fields.indices { file.fields[number][attribute: "units"] = nil }
        }
        if layout.isVelocity { strip(&files.velocity) } else { strip(&files.thickness) }
        let workplace = try Workplace(files.velocity, files.thickness)
        if layout.knowsUnit {
            try workplace.store().expectSmallShelf(tolerance: layout.tolerance)
        } else {
            #expect(workplace.failure()?.explanation.contains("no units") == true)
        }
    }

    @Test(
        "a grid that attributes tell wrongly is refused, naming the attribute",
        arguments: [
            ("xmin", nil, "no global attribute 'xmin'"), ("spacing", .text("wide"), "'spacing' is 'wide'"),
            ("spacing", .text("0 m"), "'spacing'"), ("ymax", .text("13500 furlongs"), "'ymax'"),
        ] as [(String, Attribute?, String)])
    func badGrid(attribute: String, value: Attribute?, words: String) throws {
        let layout = try #require(ProductLayout.all.first { $0.schema == "nsidc-0545-v1.toml" })
        var files = layout.make()
        files.velocity.globals.removeAll { $0.0 == attribute }
        if let value { files.velocity.globals.append((attribute, value)) }
        let failure = try #require(try Workplace(files.velocity, files.thickness).failure())
        #expect(failure.kind == .badData)
        #expect(failure.explanation.contains(words), "\(failure.explanation)")
    }

    @Test("a note of a product reaches the user: Bedmap3's thickness holds the firn")
    func note() throws {
        let layout = try #require(ProductLayout.all.first { $0.schema == "bedmap3.toml" })
        let files = layout.make()
        #expect(try Workplace(files.velocity, files.thickness).ingest().warnings.contains { $0.contains("firn") })
    }

    @Test("integers that the file calls unsigned are, and so is their fill")
    func unsigned() throws {
        var bed = SmallShelf.bedMachine()
        bed["thickness"].type = .int8
        bed["thickness"].attributes = [
            ("units", .text("m")), ("_Unsigned", .text("true")), ("_FillValue", .numbers([-1])),
            ("scale_factor", .numbers([2])), ("add_offset", .numbers([50])),
        ]
        // 255 is the fill; the shelf's 300 to 530 m are 125 to 240, the most of which are negative when signed.
        bed["thickness"].value = { x, y in
            let stored = SmallShelf.cover(x, y) == 3 ? ((SmallShelf.h(x, y) - 50) / 2).rounded() : 255
            return stored > 127 ? stored - 256 : stored
        }
        try Workplace(SmallShelf.measures(), bed).store().expectSmallShelf(tolerance: 1.001)
    }

    @Test("codes of a mask without signs are what its flag_values say, whose type has signs")
    func unsignedFlags() throws {
        var bed = SmallShelf.bedMachine()
        let value = bed["mask"].value
        bed["mask"].type = .int8
        bed["mask"].value = { value($0, $1) == 3 ? -56 : value($0, $1) }
        bed["mask"][attribute: "_Unsigned"] = .text("true")
        bed["mask"][attribute: "flag_values"] = .numbers([0, 1, 2, -56, 4])
        bed["mask"][attribute: "flag_meanings"] = .text(
            "ocean ice_free_land grounded_ice floating_ice lake_vostok")
        #expect(try Workplace(SmallShelf.measures(), bed).store().count(.velocity) == 240)
    }

    @Test("product versions are told apart")
    func versions() throws {
        var bed = SmallShelf.bedMachine()
        bed.globals[0] = ("version", .text("03-Aug-2022 (v3.4)"))
        let report = try Workplace(SmallShelf.measures(), bed).ingest()
        #expect(report.sources[1].product.hasPrefix("NSIDC-0756 v3"))
        #expect(try Workplace().ingest().sources[1].product.hasPrefix("NSIDC-0756 v2"))
    }

    @Test("flag_meanings count before the schema's codes")
    func flagMeanings() throws {
        var bed = SmallShelf.bedMachine()
        // Bedmap's order of codes: 1 grounded, 3 floating, 4 rock; and here 0 for rock, 4 for ocean.
        bed["mask"][attribute: "flag_values"] = .numbers([4, 1, 3, 0])
        bed["mask"][attribute: "flag_meanings"] = .text("ocean grounded_ice floating_ice rock")
        bed["mask"].value = { x, y in
            switch SmallShelf.cover(x, y) {
            case 0: 4
            case 3: 3
            default: 1
            }
        }
        let report = try Workplace(SmallShelf.measures(), bed).ingest()
        #expect(report.counts[.front] == (try Workplace().ingest().counts[.front]))
    }

    @Test("an unknown key, a wrong type and text that is no TOML are refused by name")
    func badSchemas() {
        let good = String(decoding: ProductCatalog.sources[0].toml, as: UTF8.self)
        for bad in [
            good.replacingOccurrences(of: "error_x", with: "eror_x"), good + "\nnotes = 3", "name = ", "name = 3",
        ] {
            let failure = #expect(throws: PlainFailure.self) { try ProductSchema(toml: bad, called: "bad.toml") }
            #expect(failure?.explanation.contains("bad.toml") == true)
            #expect(failure?.explanation.contains("\n") == false)
        }
    }
}

@Suite("The thickness beside a velocity is found by its content")
struct ThicknessSearchTests {
    private func place(_ names: [String: GridFile]) throws -> Workplace {
        let workplace = try Workplace(SmallShelf.measures(), nil)
        for (name, file) in names { try file.write(to: workplace.folder.file(name)) }
        return workplace
    }

    @Test("one product beside it is used and named")
    func one() throws {
        let report = try place(["any name.nc": SmallShelf.bedMachine()]).ingest()
        #expect(report.sources[1].file == "any name.nc")
    }

    @Test("none: the error says what to get and which flag to use")
    func none() throws {
        let failure = try #require(try place([:]).failure())
        #expect(failure.kind == .missingInput)
        #expect(failure.explanation.contains("BedMachine") && failure.explanation.contains("--thickness"))
    }

    @Test("files of other places, stores and broken files are passed over; broken ones are named")
    func others() throws {
        var elsewhere = SmallShelf.bedMachine()
        elsewhere.x = elsewhere.x.map { $0 + 1_000_000 }
        let workplace = try place(["elsewhere.nc": elsewhere, "bed.nc": SmallShelf.bedMachine()])
        try workplace.ingest()
        try Data("x".utf8).write(to: URL(fileURLWithPath: workplace.folder.file("broken.nc")))
        #expect(try workplace.ingest().sources[1].file == "bed.nc")
        try FileManager.default.removeItem(atPath: workplace.folder.file("bed.nc"))
        try FileManager.default.removeItem(atPath: workplace.request.store)
        #expect(workplace.failure()?.explanation.contains("'broken.nc'") == true)
    }

    @Test("two of equal rank are a question to the user, a known product goes before an unknown file")
    func several() throws {
        var unknown = SmallShelf.bedMachine()
        unknown.globals = []
        #expect(try place(["a.nc": unknown, "bed.nc": SmallShelf.bedMachine()]).ingest().sources[1].file == "bed.nc")
        let failure = try #require(
            try place(["a.nc": SmallShelf.bedMachine(), "b.nc": SmallShelf.bedMachine()]).failure())
        #expect(failure.kind == .usage)
        #expect(failure.explanation.contains("'a.nc', 'b.nc'"))
    }
}
