import Fields
import Foundation
import Ingest
import NetCDFFiles
import PointStore
import TestSupport
import Testing

@Suite("Every schema of the catalog reads a product made from it, and refuses a broken one")
struct SchemaTests {
    static let files = ProductCatalog.sources.map(\.file)

    private func schema(_ file: String) throws -> ProductSchema {
        let source = try #require(ProductCatalog.sources.first { $0.file == file })
        return try ProductSchema(toml: String(decoding: source.toml, as: UTF8.self), called: file)
    }

    /// The small shelf as the schema's product has it: its names, its mark of recognition, its variables.
    private func product(_ schema: ProductSchema) -> GridFile {
        var file = schema.velocity != nil ? SmallShelf.measures() : SmallShelf.bedMachine()
        file.fields = []
        if let names = schema.velocity {
            file.fields += [
                SmallShelf.velocity(names.x[0], SmallShelf.u), SmallShelf.velocity(names.y[0], SmallShelf.v),
            ]
        }
        if let names = schema.thickness {
            var field = SmallShelf.bedMachine()["thickness"]
            field.name = names.variable[0]
            file.fields.append(field)
        }
        if let names = schema.mask {
            // Without flag_meanings: the schema's own codes are tried.
            file.fields.append(.init(name: names.variable[0], type: .int8, value: SmallShelf.cover))
        }
        for name in schema.recognize.variables
        where !file.fields.contains(where: { $0.name == name }) && name != file.mapping?.name {
            file.fields.append(.init(name: name, attributes: [("units", .text("meter/year"))]) { _, _ in 3 })
        }
        file.globals = []
        if let attribute = schema.recognize.attributes?.first, let text = schema.recognize.text?.first {
            file.globals.append((attribute, .text("A \(text.uppercased()) B")))
        }
        return file
    }

    private func workplace(_ schema: ProductSchema, _ file: GridFile) throws -> Workplace {
        if schema.velocity == nil { return try Workplace(SmallShelf.measures(), file) }
        return try Workplace(file, schema.thickness == nil ? SmallShelf.bedMachine() : nil)
    }

    @Test("whole", arguments: files)
    func whole(file: String) throws {
        let schema = try schema(file)
        let report = try workplace(schema, product(schema)).ingest()
        #expect(report.sources.contains { $0.product == schema.citation })
        #expect(report.counts[.velocity] == 240)
        #expect((report.counts[.front] ?? 0) > 0)
    }

    @Test("with any of its variables missing", arguments: files)
    func broken(file: String) throws {
        let schema = try schema(file)
        let needed = [
            schema.velocity?.x[0], schema.velocity?.y[0], schema.thickness?.variable[0], schema.mask?.variable[0],
        ]
        for name in needed.compactMap({ $0 }) {
            var broken = product(schema)
            broken.fields.removeAll { $0.name == name }
            let failure = try #require(try workplace(schema, broken).failure(), "without \(name)")
            #expect(failure.kind == .badData || failure.kind == .missingInput)
            #expect(
                failure.explanation.contains(name) || failure.explanation.contains("thickness"),
                "\(failure.explanation)")
        }
    }

    @Test("without units", arguments: files)
    func withoutUnits(file: String) throws {
        let schema = try schema(file)
        let names = (schema.velocity?.x ?? []) + (schema.velocity?.y ?? []) + (schema.thickness?.variable ?? [])
        let assumed = schema.velocity?.unitIfMissing ?? schema.thickness?.unitIfMissing
        var broken = product(schema)
        for number in broken.fields.indices where names.contains(broken.fields[number].name) {
            broken.fields[number][attribute: "units"] = nil
        }
        #expect((try workplace(schema, broken).failure() == nil) == (assumed != nil))
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
            let failure = #expect(throws: IngestError.self) { try ProductSchema(toml: bad, called: "bad.toml") }
            #expect(failure?.explanation.contains("bad.toml") == true)
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

    @Test("two of equal standing are a question to the user, a known product goes before an unknown file")
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
