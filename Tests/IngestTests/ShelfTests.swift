import Fields
import Foundation
import Ingest
import PointStore
import TestSupport
import Testing

@Suite("Ice shelves by name")
struct ShelfTests {
    @Test("connected bodies are those that a flood finds, whatever their shape")
    func bodies() {
        var numbers = SeededNumbers(seed: 7)
        for density in [0.2, 0.5, 0.6, 0.8] {
            let (rows, columns) = (40, 57)
            let codes = (0..<rows * columns).map { _ in numbers.next(0..<1) < density ? UInt8(3) : 0 }
            var bodies = IceBodies(width: columns)
            for row in 0..<rows {
                let isTaken = bodies.append(row: codes[row * columns..<(row + 1) * columns], ice: .floatingIce)
                #expect(isTaken)
            }
            bodies.finish()
            var body = [Int](repeating: -1, count: codes.count)
            for run in bodies.runs {
                for column in run.first..<run.end { body[Int(run.row) * columns + Int(column)] = Int(run.body) }
            }
            #expect(codes.indices.allSatisfy { (codes[$0] == 3) == (body[$0] >= 0) })
            var flooded = [Int](repeating: -1, count: codes.count)
            var count = 0
            for start in codes.indices where codes[start] == 3 && flooded[start] < 0 {
                var open = [start]
                flooded[start] = count
                while let cell = open.popLast() {
                    let (row, column) = (cell / columns, cell % columns)
                    for (r, c) in [(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)]
                    where r >= 0 && r < rows && c >= 0 && c < columns {
                        let next = r * columns + c
                        if codes[next] == 3, flooded[next] < 0 {
                            flooded[next] = count
                            open.append(next)
                        }
                    }
                }
                count += 1
            }
            #expect(bodies.count == count)
            #expect(body == flooded)
        }
    }

    @Test(
        "a name is understood without its case, its accents and the word for the thing",
        arguments: [
            ("Amery", "Amery"), ("amery ice shelf", "Amery"), ("AMERY_ICE_SHELF", "Amery"), ("AmeryIceShelf", "Amery"),
            ("Ekstrom", "Ekström"), ("EKSTRÖM", "Ekström"), ("Sorsdal", "Sørsdal"), ("fimbulisen", "Fimbul"),
            ("pine island glacier", "Pine Island"), ("larsen-c", "Larsen C"), ("roi baudouin", "Baudouin"),
        ])
    func sourceExpression(written: String, meant: String) throws {
        let names = try ShelfNames.bundled()
        #expect(names.matches(written).map { names.entries[$0].name } == [meant])
    }

    @Test("a name of several shelves means all of them, and one that is unknown finds those alike")
    func otherNames() throws {
        let names = try ShelfNames.bundled()
        #expect(Set(names.matches("Filchner-Ronne Ice Shelf").map { names.entries[$0].name }) == ["Ronne", "Filchner"])
        #expect(names.matches("Atlantis").isEmpty)
        #expect(names.nearest(to: "Amary", count: 3).first == "Amery")
        #expect(names.nearest(to: "Larsen", count: 4).filter { $0.hasPrefix("Larsen") }.count == 3)
        for entry in names.entries { #expect(names.matches(entry.name).count == 1, "\(entry.name)") }
        for point in names.entries.flatMap(\.points) {
            #expect(point[0] < -64 && point[0] > -85 && abs(point[1]) <= 180)
        }
    }

    /// Coarse products of the whole Weddell Sea: one body of ice over Ronne and Filchner, ocean north of it, another body apart.
    private func weddell() throws -> Workplace {
        let x = (0..<80).map { -1_700_000 + 20_000 * Double($0) }
        let y = (0..<75).map { 1_700_000 - 20_000 * Double($0) }
        let cover = { (x: Double, y: Double) -> Double in
            if y > 1_100_000 { return x < -1_600_000 && y > 1_200_000 ? 3 : 0 }
            return x < -250_000 && y > 200_000 ? 3 : 2
        }
        var velocity = SmallShelf.measures()
        var bed = SmallShelf.bedMachine()
        (velocity.x, velocity.y) = (x, y)
        (bed.x, bed.y) = (x, y)
        bed["thickness"].value = { _, _ in 500 }
        bed["mask"].value = cover
        return try Workplace(velocity, bed)
    }

    @Test("shelves of one body of ice are divided by their points, and joined by their common name")
    func divided() throws {
        var workplace = try weddell()
        var cells: [String: Int] = [:]
        for name in ["Ronne", "Filchner", "Ronne-Filchner"] {
            workplace.request.shelf = name
            let report = try workplace.ingest()
            cells[name] = report.counts[.velocity]
            #expect(report.warnings.contains { $0.contains("is connected with") } == (name != "Ronne-Filchner"))
        }
        let (ronne, filchner) = (try #require(cells["Ronne"]), try #require(cells["Filchner"]))
        #expect(ronne > 2 * filchner && filchner > 100)
        #expect(cells["Ronne-Filchner"] == ronne + filchner)
        // The other body is left out, so this is not all of the floating ice.
        workplace.request.shelf = nil
        #expect(try workplace.ingest().counts[.velocity]! > ronne + filchner)

        let lines = try IngestRun(workplace.request).listShelves()
        #expect(lines.contains { $0.contains("Ronne") && $0.hasSuffix("Filchner") })
        #expect(lines.contains { $0.contains("unnamed: 1 body") })
    }

    @Test("a name of a shelf needs a projection that tells where it lies")
    func noProjection() throws {
        var (velocity, bed) = (SmallShelf.measures(), SmallShelf.bedMachine())
        (velocity.mapping, bed.mapping) = (nil, nil)
        (velocity.globals, bed.globals) = ([], [])
        var workplace = try Workplace(velocity, bed)
        workplace.request.shelf = "Amery"
        let failure = try #require(workplace.failure())
        #expect(
            failure.kind == .badData && failure.explanation.contains("states no projection"), "\(failure.explanation)")
        #expect(
            try IngestRun(workplace.request).listShelves().first?.contains("no polar stereographic projection") == true)
    }

    @Test("a shelf that the file does not hold, and a name that nobody knows, are one clear line")
    func mistakes() throws {
        var workplace = try weddell()
        workplace.request.shelf = "Amery"
        var failure = try #require(workplace.failure())
        #expect(failure.kind == .badData && failure.explanation.contains("'Ronne', 'Filchner'"))
        workplace.request.shelf = "Rone"
        failure = try #require(workplace.failure())
        #expect(failure.kind == .usage && failure.explanation.contains("'Ronne'"))
        workplace.request.shelf = "Ronne"
        workplace.request.region = Region(xMin: -100_000, xMax: 0, yMin: 0, yMax: 100_000)
        failure = try #require(workplace.failure())
        #expect(failure.kind == .badData && failure.explanation.contains("region"))
    }

    @Test(
        "the Amery is found in its products, with its area",
        .enabled(if: Places.shared("amery_bedmachine_v2.nc") != nil))
    func amery() throws {
        let folder = try TemporaryFolder()
        var request = IngestRequest(velocity: Places.shared("amery_velocity_measures.nc")!)
        request.thickness = Places.shared("amery_bedmachine_v2.nc")
        request.shelf = "amery ice shelf"
        request.points = 1000
        request.store = folder.file("store.nc")
        let named = try IngestRun(request).run()
        request.shelf = nil
        let all = try IngestRun(request).run()
        #expect(named.counts[.thickness]! > 150_000)
        #expect(Double(named.counts[.thickness]!) > 0.98 * Double(all.counts[.thickness]!))
        let line = try #require(try IngestRun(request).listShelves().first { $0.contains("Amery") })
        let area = try #require(Double(line.split(separator: " ")[1]))
        // 160,257 cells of a quarter of a square kilometre on the map, which is true at 71° S.
        #expect(area > 39_000 && area < 42_000, "\(line)")
    }

    @Test("--mask all takes shelf and stream as one, with the surface")
    func all() throws {
        var bed = SmallShelf.bedMachine()
        bed["thickness"].value = { x, y in SmallShelf.cover(x, y) == 0 ? 0 : 500 }
        var surface = bed["thickness"]
        surface.name = "surface"
        bed.fields.append(surface)
        var workplace = try Workplace(SmallShelf.measures(), bed)
        var cells: [IceChoice: Int] = [:]
        for choice in IceChoice.allCases {
            workplace.request.choice = choice
            cells[choice] = try workplace.ingest().counts[.velocity]
            #expect(try (workplace.open().count(.surface) > 0) == (choice != .floating))
        }
        #expect(cells[.all] == cells[.floating]! + cells[.grounded]!)
    }
}
