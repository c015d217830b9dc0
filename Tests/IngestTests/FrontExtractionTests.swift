import Fields
import Foundation
import Ingest
import PointStore
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

    @Test("a diagonal front has the diagonal as its normal")
    func diagonal() {
        let front = front { x, y in x + y < 250 ? .floatingIce : .ocean }
        // Away from the border of the grid, where the stair is seen whole, to the symmetry of its two kinds of faces.
        let inner = front.points.filter { abs($0.x) < 15_000 }
        #expect(inner.count > 100)
        for point in inner { #expect(degrees(point, from: (0.5.squareRoot(), 0.5.squareRoot())) < 0.01) }
        // And at the border, where half a face of the five that count is lost: a tenth, 4°.
        for point in front.points { #expect(degrees(point, from: (0.5.squareRoot(), 0.5.squareRoot())) < 4) }
    }

    @Test("straight fronts in any direction are met within a few degrees")
    func anyDirection() {
        var worst = 0.0
        for step in 0..<72 {
            let angle = Double(step) * 5 * .pi / 180
            let normal = (cos(angle), sin(angle))
            let front = front { x, y in x * normal.0 + y * normal.1 < 100 ? .floatingIce : .ocean }
            for point in front.points where abs(point.x) < 15_000 && abs(point.y) < 15_000 {
                worst = max(worst, degrees(point, from: normal))
            }
        }
        // A stair of long treads: one step within the width of the Gaussian is 0.4 / 4 of a face more or less, 5.7°.
        #expect(worst < 4)
    }

    @Test(
        "normals of a round front point outward along the radius, within a few degrees",
        arguments: [6000.0, 10_000, 20_000])
    func circle(radius: Double) {
        let front = front { x, y in (x * x + y * y).squareRoot() < radius ? .floatingIce : .ocean }
        #expect(front.points.count > Int(radius / 500) * 7)
        var worst = 0.0
        for point in front.points {
            let r = (point.x * point.x + point.y * point.y).squareRoot()
            #expect(abs(r - radius) < 500)
            #expect(abs(point.normalX * point.normalX + point.normalY * point.normalY - 1) < 1e-12)
            worst = max(worst, degrees(point, from: (point.x / r, point.y / r)))
        }
        #expect(worst < 6, "worst \(worst)°")
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
