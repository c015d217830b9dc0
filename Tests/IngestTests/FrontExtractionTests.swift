import Fields
import Foundation
import Ingest
import NetCDFFiles
import PointStore
import TestSupport
import Testing

@Suite("The calving front of a mask")
struct FrontExtractionTests {
    /// 100 x 100 cells of 500 m around the origin, y descending.
    private let grid = Grid(
        x: (0..<100).map { 500 * (Double($0) - 49.5) }, y: (0..<100).map { -500 * (Double($0) - 49.5) }, projection: nil
    )

    private func front(_ cover: (Double, Double) -> IceMask, known: (Double, Double) -> Bool = { _, _ in true })
        -> FrontExtraction
    {
        var codes: [UInt8] = []
        var cells = CellSet(capacity: grid.cellCount)
        for y in grid.y {
            for x in grid.x {
                if cover(x, y) == .floatingIce, known(x, y) { cells.insert(codes.count) }
                codes.append(cover(x, y).rawValue)
            }
        }
        return FrontExtraction(codes: codes, grid: grid, known: cells)
    }

    /// The front of a product's file with data on all of its floating cells, and the size of a cell [m].
    private func front(ofProduct name: String) throws -> (FrontExtraction, cell: Double) {
        let file = try NetCDFFile(reading: Places.shared(name)!)
        let values = { (name: String) in try file.variable(name)!.read(as: Double.self) }
        let grid = Grid(x: try values("x"), y: try values("y"), projection: nil)
        let codes = try values("mask").map { UInt8($0) }
        var known = CellSet(capacity: grid.cellCount)
        for cell in codes.indices where codes[cell] == IceMask.floatingIce.rawValue { known.insert(cell) }
        return (FrontExtraction(codes: codes, grid: grid, known: known), abs(grid.spacingX))
    }

    private func knownFront(_ name: String) throws -> [(x: Double, y: Double, normalX: Double, normalY: Double)] {
        try String(contentsOfFile: Places.shared(name)!, encoding: .utf8).split(separator: "\n").dropFirst().map {
            let numbers = $0.split(separator: ",").map { Double($0)! }
            return (numbers[0], numbers[1], numbers[2], numbers[3])
        }
    }

    private struct Errors {
        private var sum = 0.0
        private var count = 0
        private(set) var largest = 0.0
        var mean: Double { sum / Double(count) }

        mutating func add(_ error: Double) {
            sum += error
            count += 1
            largest = max(largest, error)
        }
    }

    private func degrees(_ point: FrontPoint, from normal: (Double, Double)) -> Double {
        acos(min(1, point.normalX * normal.0 + point.normalY * normal.1)) * 180 / .pi
    }

    @Test("a front along an axis has exactly the axis as its normal, also beside walls that end at it or go on")
    func axisAligned() {
        for wallEnd in [0.0, 10_000.0] {
            let front = front { x, y in
                if abs(y) > 15_000 { return x < wallEnd ? .groundedIce : .ocean }
                return x < 0 ? .floatingIce : .ocean
            }
            #expect(front.points.count == 60)
            #expect(front.points.allSatisfy { $0.x == 0 && $0.normalX == 1 && $0.normalY == 0 })
        }
        let northern = front { _, y in y < 0 ? .floatingIce : .ocean }
        #expect(northern.points.allSatisfy { $0.normalX == 0 && $0.normalY == 1 && $0.y == 0 })
    }

    @Test("straight fronts in any direction are met within a degree, and their place within a third of a cell")
    func anyDirection() {
        var angles = Errors()
        var places = Errors()
        for step in 0..<120 {
            let angle = Double(step) * 3 * .pi / 180
            let normal = (cos(angle), sin(angle))
            let front = front { x, y in x * normal.0 + y * normal.1 < 100 ? .floatingIce : .ocean }
            for point in front.points where abs(point.x) < 12_000 && abs(point.y) < 12_000 {
                angles.add(degrees(point, from: normal))
                places.add(abs(point.x * normal.0 + point.y * normal.1 - 100) / 500)
            }
        }
        // Measured: 0.08° and 0.7°, 0.03 and 0.30 cells. The mean of the normals of the faces around gave 0.43° and 2.8°,
        // their middles lie 0.19 and 0.49 cells off.
        #expect(angles.mean < 0.15 && angles.largest < 1, "\(angles.mean)°, \(angles.largest)°")
        #expect(places.mean < 0.06 && places.largest < 0.34, "\(places.mean), \(places.largest) cells")
    }

    @Test(
        "a round front and a round bay have the radius as their normal, wherever the centre lies in its cell",
        arguments: [(3000.0, 1.2, 4.5), (6000, 0.4, 1.6), (10_000, 0.25, 1.0), (20_000, 0.25, 1.0)])
    func circle(radius: Double, mean: Double, largest: Double) {
        for isBay in [false, true] {
            var angles = Errors()
            var places = Errors()
            for centre in [(0.0, 0.0), (50, 150), (-200, 100), (250, 250)] {
                let front = front { x, y in
                    (hypot(x - centre.0, y - centre.1) < radius) != isBay ? .floatingIce : .ocean
                }
                #expect(front.withoutDirection == 0)
                #expect(front.points.count > Int(radius / 500) * 7)
                for point in front.points {
                    let (x, y) = (point.x - centre.0, point.y - centre.1)
                    let r = hypot(x, y) * (isBay ? -1 : 1)
                    #expect(abs(hypot(point.normalX, point.normalY) - 1) < 1e-12)
                    angles.add(degrees(point, from: (x / r, y / r)))
                    places.add(abs(abs(r) - radius) / 500)
                }
            }
            #expect(angles.mean < mean && angles.largest < largest, "\(angles.mean)°, \(angles.largest)°")
            #expect(places.mean < 0.2 && places.largest < 0.4, "\(places.mean), \(places.largest) cells")
        }
    }

    @Test(
        "a bowed front between walls, known from the forward model", .enabled(if: Places.shared("bay_front.csv") != nil)
    )
    func bay() throws {
        let known = try knownFront("bay_front.csv")
        let (front, cell) = try front(ofProduct: "bay_bedmachine_v2.nc")
        var angles = Errors()
        var places = Errors()
        for point in front.points {
            let nearest = known.min { hypot($0.x - point.x, $0.y - point.y) < hypot($1.x - point.x, $1.y - point.y) }!
            angles.add(degrees(point, from: (nearest.normalX, nearest.normalY)))
            places.add(
                abs((point.x - nearest.x) * nearest.normalX + (point.y - nearest.y) * nearest.normalY) / cell)
        }
        #expect(front.points.count > 130)
        // Measured: 0.30° and 1.8°, 0.04 and 0.10 cells; before, 0.89° and 6.0°, 0.22 and 0.49 cells.
        #expect(angles.mean < 0.5 && angles.largest < 2.5, "\(angles.mean)°, \(angles.largest)°")
        #expect(places.mean < 0.06 && places.largest < 0.2, "\(places.mean), \(places.largest) cells")
    }

    @Test(
        "the front of the Amery looks as the published one does", .enabled(if: Places.shared("amery_front.csv") != nil))
    func amery() throws {
        let known = try knownFront("amery_front.csv")
        let (front, _) = try front(ofProduct: "amery_bedmachine_v2.nc")
        var cosines: [Double] = []
        for point in front.points {
            // The published points are a strip two kilometres wide, one normal to a column of the grid: the mean of those near.
            let near = known.filter { hypot($0.x - point.x, $0.y - point.y) < 3000 }
            let sum = near.reduce((0.0, 0.0)) { ($0.0 + $1.normalX, $0.1 + $1.normalY) }
            guard near.count > 3 else { continue }
            cosines.append((sum.0 * point.normalX + sum.1 * point.normalY) / hypot(sum.0, sum.1))
        }
        cosines.sort()
        #expect(cosines.count > 200)
        let median = acos(min(1, cosines[cosines.count / 2])) * 180 / .pi
        #expect(median < 10, "\(median)°")
    }

    @Test("two fronts, a floe and an ice rise: each front has its own normals, the rise has none")
    func several() {
        let front = front { x, y in
            if hypot(x + 8000, y) < 4000 { return .groundedIce }
            if hypot(x - 18_000, y - 10_000) < 3000 { return .floatingIce }
            return abs(x) < 14_000 ? .floatingIce : .ocean
        }
        let east = front.points.filter { $0.x == 14_000 }
        let west = front.points.filter { $0.x == -14_000 }
        #expect(east.count == 100 && east.allSatisfy { $0.normalX == 1 && $0.normalY == 0 })
        #expect(west.count == 100 && west.allSatisfy { $0.normalX == -1 && $0.normalY == 0 })
        let floe = front.points.filter { abs(abs($0.x) - 14_000) > 1 }
        #expect(floe.count >= 44)
        for point in floe {
            let (x, y) = (point.x - 18_000, point.y - 10_000)
            #expect(degrees(point, from: (x / hypot(x, y), y / hypot(x, y))) < 5)
        }
    }

    @Test("grounded ice, land and unknown cells are no ocean")
    func onlyOcean() {
        for cover in [IceMask.groundedIce, .iceFreeLand] {
            #expect(front { x, _ in x < 0 ? .floatingIce : cover }.points.isEmpty)
        }
    }

    @Test("a front more than two cells beyond the data gives no points")
    func beyondData() {
        let near = front({ x, _ in x < 0 ? .floatingIce : .ocean }, known: { x, _ in x < -1000 })
        #expect(near.points.count == 100)
        let far = front({ x, _ in x < 0 ? .floatingIce : .ocean }, known: { x, _ in x < -1500 })
        #expect(far.points.isEmpty)
        #expect(far.beyondData == 100)
    }

    @Test("a pond of one cell has no direction and gives no points")
    func pond() {
        let front = front { x, y in x == 250 && y == 250 ? .ocean : .floatingIce }
        #expect(front.points.isEmpty)
        #expect(front.withoutDirection == 4)
    }

    @Test("no front is allowed and told")
    func noFront() throws {
        var bed = SmallShelf.bedMachine()
        bed["mask"].value = { x, y in SmallShelf.cover(x, y) == 3 ? 3 : 2 }
        let workplace = try Workplace(SmallShelf.measures(), bed)
        let report = try workplace.ingest()
        #expect(report.counts[.front] == nil)
        #expect(report.warnings.contains { $0.contains("no calving front") })
        #expect(try workplace.open().count(.front) == 0)
    }
}
