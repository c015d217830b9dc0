import Fields
import Ingest
import NetCDFFiles
import PointStore
import Testing

@Suite("However a product lies in its file, the store is the same")
struct OrientationTests {
    private let plain: [PointSet: [[Float]]]

    init() throws { plain = try Workplace().store().allColumns() }

    private func columns(_ change: (inout GridFile) -> Void) throws -> [PointSet: [[Float]]] {
        var velocity = SmallShelf.measures()
        var thickness = SmallShelf.bedMachine()
        change(&velocity)
        change(&thickness)
        return try Workplace(velocity, thickness).store().allColumns()
    }

    @Test("y ascending gives the store of y descending")
    func ascending() throws {
        #expect(try columns { $0.y.reverse() } == plain)
    }

    @Test("x descending gives the store of x ascending")
    func descendingX() throws {
        #expect(try columns { $0.x.reverse() } == plain)
    }

    @Test("fields over (x, y) give the store of fields over (y, x)")
    func transposed() throws {
        #expect(try columns { $0.layout = .columnsThenRows } == plain)
        #expect(
            try columns {
                $0.layout = .columnsThenRows; $0.y.reverse(); $0.x.reverse()
            } == plain)
    }

    @Test("fields over (time = 1, y, x) give the store of fields over (y, x)")
    func withTime() throws {
        #expect(try columns { $0.layout = .timeFirst } == plain)
    }

    @Test("axes in kilometres give the store of axes in metres")
    func kilometres() throws {
        #expect(
            try columns {
                $0.axisUnit = "km"
                $0.axisFactor = 0.001
                $0.axisType = .double
            } == plain)
    }

    @Test("chunked and deflated fields give the store of contiguous ones")
    func chunked() throws {
        #expect(try columns { $0.chunks = [5, 7] } == plain)
        #expect(
            try columns {
                $0.chunks = [5, 7]; $0.y.reverse()
            } == plain)
    }

    @Test("axes in single precision step unevenly by rounding and are accepted")
    func singlePrecisionAxes() throws {
        var velocity = SmallShelf.measures()
        velocity.x = velocity.x.map { $0 + 3_000_000.1 }
        velocity.axisType = .float
        var thickness = SmallShelf.bedMachine()
        thickness.x = thickness.x.map { $0 + 3_000_000 }
        thickness["mask"].value = { x, y in SmallShelf.cover(x - 3_000_000, y) }
        thickness["thickness"].value = { x, y in SmallShelf.h(x - 3_000_000, y) }
        #expect(try Workplace(velocity, thickness).store().count(.velocity) == 240)
    }
}
