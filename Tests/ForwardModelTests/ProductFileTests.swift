import Fields
import ForwardModel
import Foundation
import MapProjections
import NetCDFFiles
import TestSupport
import Testing

/// Serialized: libnetcdf is not thread-safe.
@Suite("Files of a synthetic shelf", .serialized)
struct ProductFileTests {
    static let names = ["sample_velocity_measures.nc", "sample_bedmachine_v2.nc", "sample_truth.nc"]
    /// The survey with the command's defaults.
    static let survey = Result { try ShelfSurvey(SolvedShelf(WedgeShelf(), spacing: 250)) }
    /// A coarse and quick one, for what does not depend on the mesh.
    static let coarse = Result { try ShelfSurvey(SolvedShelf(WedgeShelf(), spacing: 2_000)) }

    private func bundled(_ name: String) throws -> NetCDFFile { try NetCDFFile(reading: Places.sample(name)) }

    @Test("the bundled files are below 2 MB in all")
    func small() throws {
        let sizes = try Self.names.map {
            try #require(FileManager.default.attributesOfItem(atPath: Places.sample($0))[.size] as? Int)
        }
        #expect(sizes.reduce(0, +) < 2_000_000)
    }

    @Test("the bundled files are what the command writes now")
    func reproducible() throws {
        let folder = try TemporaryFolder()
        _ = try ProductWriter(Self.survey.get()).write(folder: folder.path, name: "sample")
        #expect(folder.names == Self.names.sorted())
        for name in Self.names {
            let (old, new) = (try bundled(name), try NetCDFFile(reading: folder.file(name)))
            #expect(old.variables.map(\.name) == new.variables.map(\.name))
            // The attribute "software" states the build.
            for attribute in new.attributeNames where attribute != "software" {
                #expect(old.attribute(attribute) == new.attribute(attribute))
            }
            for variable in new.variables where variable.type != .text {
                let before = try old.requireVariable(variable.name).read(as: Double.self)
                let now = try variable.read(as: Double.self)
                try #require(before.count == now.count)
                let largest = before.reduce(0) { $1.isNaN ? $0 : max($0, abs($1)) }
                // One unit in the last place of a float: another BLAS adds in another order. Balances of large fluxes
                // cross zero.
                let differing = zip(before, now).count { a, b in
                    a.isNaN != b.isNaN || abs(a - b) > 1.2e-7 * max(abs(b), 1e-3 * largest)
                }
                #expect(differing == 0, "\(differing) values of \(variable.name) in \(name)")
            }
        }
    }

    @Test("files of one shelf are the same in every byte, also where only attributes matter")
    func noStrayMemory() throws {
        let folder = try TemporaryFolder()
        let files = try (0..<2).map { number in
            let inner = folder.file("\(number)")
            try FileManager.default.createDirectory(atPath: inner, withIntermediateDirectories: false)
            let paths = try ProductWriter(Self.coarse.get()).write(folder: inner, name: "sample")
            return try paths.map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
        }
        #expect(files[0] == files[1])
        guard let ncdump = Tool.installed("ncdump") else { return }
        for (name, mapping) in zip(Self.names, ["coord_system", "mapping", "mapping"]) {
            let dump = try ncdump.run(["-v", mapping, name], in: folder.file("0"))
            #expect(dump.output.contains("\n \(mapping) = \"\" ;"), "\(dump.output.suffix(60))")
        }
    }

    @Test("velocities are laid out as the MEaSUREs product")
    func velocityLayout() throws {
        let file = try bundled("sample_velocity_measures.nc")
        let x = try file.requireVariable("x").read(as: Double.self)
        let y = try file.requireVariable("y").read(as: Double.self)
        #expect(x.indices.allSatisfy { x[$0] == x[0] + 450 * Double($0) })
        #expect(y.indices.allSatisfy { y[$0] == y[0] - 450 * Double($0) })
        #expect((x[0] + 2_800_000).truncatingRemainder(dividingBy: 450) == 0)
        #expect((2_800_000 - y[0]).truncatingRemainder(dividingBy: 450) == 0)
        for (name, standardName) in [("VX", "land_ice_x_velocity"), ("VY", "land_ice_y_velocity")] {
            let variable = try file.requireVariable(name)
            #expect(variable.dimensions.map(\.name) == ["y", "x"])
            #expect(variable.type == .float)
            #expect(variable.attribute("units")?.text == "meter/year")
            #expect(variable.attribute("standard_name")?.text == standardName)
            #expect(variable.attribute("grid_mapping")?.text == "coord_system")
            #expect(variable.attribute("coordinates")?.text == "lon lat")
            #expect(variable.attribute("_FillValue") == nil)
        }
        try expectPolarStereographic(file.requireVariable("coord_system"))
    }

    @Test("thickness and mask are laid out as the BedMachine product")
    func thicknessLayout() throws {
        let file = try bundled("sample_bedmachine_v2.nc")
        let x = try file.requireVariable("x")
        #expect(x.type == .int32)
        let (xs, ys) = (try x.read(as: Int32.self), try file.requireVariable("y").read(as: Int32.self))
        #expect(xs.indices.allSatisfy { xs[$0] == xs[0] + 500 * Int32($0) } && (xs[0] + 3_333_000) % 500 == 0)
        #expect(ys.indices.allSatisfy { ys[$0] == ys[0] - 500 * Int32($0) } && (3_333_000 - ys[0]) % 500 == 0)
        let thickness = try file.requireVariable("thickness")
        #expect(thickness.attribute("units")?.text == "meters")
        #expect(thickness.attribute("grid_mapping")?.text == "mapping")
        #expect(thickness.attribute("_FillValue")?.number == -9999)
        let mask = try file.requireVariable("mask")
        #expect(mask.type == .int8)
        #expect(mask.attribute("flag_meanings")?.text == "ocean ice_free_land grounded_ice floating_ice lake_vostok")
        #expect(file.attribute("ice_density (kg m-3)")?.number == 917)
        #expect(file.attribute("sea_water_density (kg m-3)")?.number == 1030)
        try expectPolarStereographic(file.requireVariable("mapping"))

        let expected: [Int8: (Float) -> Bool] = [0: { $0 == 0 }, 2: { $0 == -9999 }, 3: { $0 > 200 && $0 < 650 }]
        let misplaced = zip(try mask.read(as: Int8.self), try thickness.read(as: Float.self)).count {
            !(expected[$0]?($1) ?? false)
        }
        #expect(misplaced == 0)
    }

    private func expectPolarStereographic(_ mapping: Variable) {
        #expect(mapping.attribute("grid_mapping_name")?.text == "polar_stereographic")
        #expect(mapping.attribute("latitude_of_projection_origin")?.number == -90)
        #expect(mapping.attribute("standard_parallel")?.number == -71)
        #expect(mapping.attribute("straight_vertical_longitude_from_pole")?.number == 0)
    }

    @Test("the sea lies beyond the front and nowhere else")
    func seaBeyondFront() throws {
        let survey = try Self.coarse.get()
        let shelf = survey.solved.shelf
        let cover = { (position: Position) -> IceMask? in
            survey.thicknessGrid.cell(containingX: position.x, y: position.y).map { survey.mask[$0] }
        }
        for step in 1...9 {
            let share = Double(step) / 10
            // 3 km outside inflow, front and walls, by the shelf's own mapping.
            #expect(cover(shelf.position(along: 1.05, across: share)) == .ocean)
            #expect(cover(shelf.position(along: 0.95, across: share)) == .floatingIce)
            #expect(cover(shelf.position(along: -0.05, across: share)) == .groundedIce)
            #expect(cover(shelf.position(along: share, across: -0.06)) == .groundedIce)
            #expect(cover(shelf.position(along: share, across: 1.06)) == .groundedIce)
        }
    }

    @Test("velocity is given where the ice floats, to within a cell at its edge")
    func velocityWhereFloating() throws {
        let survey = try Self.coarse.get()
        let velocities = survey.velocities()
        let floating = zip(velocities.indices, velocities).filter { $1 != nil }.map { index, _ in
            Position(
                survey.velocityGrid.x[index % survey.velocityGrid.columns],
                survey.velocityGrid.y[index / survey.velocityGrid.columns])
        }
        #expect(Double(floating.count) * 450 * 450 / 1e6 > 2_900)
        let onIce = floating.count { position in
            survey.thicknessGrid.cell(containingX: position.x, y: position.y).map { survey.mask[$0] == .floatingIce }
                ?? false
        }
        #expect(Double(onIce) > 0.97 * Double(floating.count))
    }

    @Test("noise has the size that was asked for, and depends on its seed alone")
    func noise() throws {
        let survey = try Self.coarse.get()
        let folder = try TemporaryFolder()
        let read = { (name: String, noise: ProductWriter.Noise?) throws -> [Float] in
            _ = try ProductWriter(survey, noise: noise).write(folder: folder.path, name: name)
            let file = try NetCDFFile(reading: folder.file("\(name)_velocity_measures.nc"))
            return try file.requireVariable("VX").read(as: Float.self)
        }
        let exact = try read("exact", nil)
        let one = try read("one", (5, 7))
        let again = try read("again", (5, 7))
        let other = try read("other", (5, 8))
        #expect(one.map(\.bitPattern) == again.map(\.bitPattern))
        #expect(one.map(\.bitPattern) != other.map(\.bitPattern))
        let speeds = survey.velocities().compactMap { $0 }.map { length($0) * Constants.secondsPerYear }
        let meanSpeed = speeds.reduce(0, +) / Double(speeds.count)
        let errors = zip(exact, one).map { Double($1 - $0) }.filter { !$0.isNaN }
        let deviation = (errors.map { $0 * $0 }.reduce(0, +) / Double(errors.count)).squareRoot()
        // 15 000 cells determine the deviation to 0.6 %; the tolerance is five times that.
        #expect(abs(deviation / meanSpeed / 0.05 - 1) < 0.03)
    }

    /// The first cell of the product: latitude −54.673529, longitude 315 (printed header of NSIDC-0484).
    @Test("the corner of the MEaSUREs grid has the product's latitude and longitude")
    func projection() throws {
        let polar = try #require(PolarProjection(.antarctic))
        let corner = polar.coordinates(x: -2_800_000, y: 2_800_000)
        #expect(abs(corner.latitude + 54.673529) < 1e-6)
        #expect(abs(corner.longitude + 45) < 1e-12)
    }

    @Test("an unknown shelf is refused with the names of those that are known")
    func unknownShelf() {
        let error = #expect(throws: PlainFailure.self) { try ShelfCatalog.shelf(named: "wegde") }
        #expect(error?.explanation.contains("'wedge'") == true)
    }
}
