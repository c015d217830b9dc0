import Fields
import Ingest
import PointStore
import Testing

@Suite("Collocation points, normalisation and seeds")
struct PointsTests {
    private let grid = Grid(x: (0..<10).map { 100 * Double($0) }, y: (0..<8).map { -100 * Double($0) }, projection: nil)

    @Test(
        "every cell has its share of points, give or take one, all of them inside of it",
        arguments: [7, 40, 41, 1000, 12_345])
    func shares(count: Int) {
        let cells: [Int32] = (0..<80).filter { $0 % 2 == 0 }.map { Int32($0) }
        let points = CollocationPoints(count: count, in: cells, of: grid, seed: 5)
        var found: [Int32: Int] = [:]
        points.forEach(in: 0..<count) { place, x, y in
            guard let cell = grid.cell(containingX: x, y: y) else {
                Issue.record("point \(place) lies outside of the grid")
                return
            }
            found[Int32(cell), default: 0] += 1
        }
        #expect(Set(found.keys).isSubset(of: Set(cells)))
        let share = Double(count) / 40
        #expect(cells.allSatisfy { abs(Double(found[$0] ?? 0) - share) < 2 })
    }

    @Test("any run of places is an unbiased sample of the shelf")
    func shuffled() throws {
        let cells: [Int32] = (0..<80).map { Int32($0) }
        let points = CollocationPoints(count: 100_000, in: cells, of: grid, seed: 1)
        for start in [0, 50_000, 90_000] {
            var sample: [(x: Double, y: Double)] = []
            points.forEach(in: start..<start + 10_000) { sample.append(($1, $2)) }
            // Standard deviation of the mean of 10,000 uniform positions on 1000 m: 2.9 m; of 800 m: 2.3 m.
            #expect(abs(sample.reduce(0) { $0 + $1.x } / 10_000 - 450) < 12)
            #expect(abs(sample.reduce(0) { $0 + $1.y } / 10_000 + 350) < 10)
        }
    }

    @Test("normalised values are of order one, whatever the spikes")
    func normalization() {
        var values = (0..<10_000).map { 300 + 0.1 * Double($0) }
        let plain = NormalizationChoice.ofValues(values)
        #expect(abs(plain.stored(300) + 1) < 0.01 && abs(plain.stored(1300) - 1) < 0.01)
        values[77] = 1e9
        let spiked = NormalizationChoice.ofValues(values)
        #expect(abs(spiked.scale / plain.scale - 1) < 0.01)
    }

    @Test("a field without variation still has a scale", arguments: [0.0, 250, -3e-9])
    func constantField(value: Double) {
        let normalization = NormalizationChoice.ofValues([Double](repeating: value, count: 50))
        #expect(normalization.scale > 0 && normalization.scale.isFinite)
        #expect(normalization.physical(normalization.stored(value)) == value)
    }

    @Test("weights are bounded, one on average, and one without errors")
    func weightBounds() {
        #expect(weights(fromErrors: [], scales: [1], count: 3) == [[1, 1, 1]])
        #expect(weights(fromErrors: [[.nan, .nan]], scales: [1], count: 2) == [[1, 1]])
        let some = weights(fromErrors: [[1, 1, 1, 1e-9, 1e9, .nan, 0]], scales: [5], count: 7)[0]
        #expect(abs(some.reduce(0, +) - 7) < 1e-12)
        // 4 to 1 to 0.01; unknown and zero errors count like the median one.
        #expect(abs(some[3] / some[0] - 4) < 1e-12 && abs(some[4] / some[0] - 0.01) < 1e-12)
        #expect(some[5] == some[0] && some[6] == some[0])
    }

    @Test("misfits of both components count by their errors, whatever their ranges of values")
    func weightsOfComponents() {
        func check(_ errors: [[Double]], _ scales: [Double], ratio: Double) {
            let both = weights(fromErrors: errors, scales: scales, count: 3)
            #expect(abs(both.joined().reduce(0, +) - 6) < 1e-12)
            // What a metre a year of misfit counts in the square.
            let perMetre = zip(both, scales).map { $0[1] / ($1 * $1) }
            #expect(abs(perMetre[0] / perMetre[1] / ratio - 1) < 1e-12)
        }
        check([[2, 2, 2], [2, 2, 2]], [1000, 600], ratio: 1)
        check([[2, 2, 2], [3, 3, 3]], [1000, 1200], ratio: 2.25)
        check([[2, 2, 2], [.nan, .nan, .nan]], [1000, 600], ratio: 1)
        // One counts at most four times as much as the other, in the normalisation.
        check([[2, 2, 2], [2, 2, 2]], [1000, 100], ratio: 4 * 0.01)
        check([[2, 2, 2], [1e-9, 1e-9, 1e-9]], [1000, 600], ratio: 0.25 * 0.36)
        #expect(weights(fromErrors: [], scales: [1000, 300], count: 2) == [[1, 1], [1, 1]])
    }

    @Test("the same seed gives the same columns, another seed others")
    func seeds() throws {
        let first = try Workplace().store().allColumns()
        #expect(try Workplace().store().allColumns() == first)
        var other = try Workplace()
        other.request.seed = 1
        let second = try other.store().allColumns()
        // The front of the small shelf is straight, so its normals are all alike, but not its positions.
        for set in first.keys { #expect(first[set] != second[set], "\(set)") }
        // The same observations in another order.
        #expect(first[.velocity]?[2].sorted() == second[.velocity]?[2].sorted())
    }

    @Test("collocation points lie where velocity and thickness are known, and nowhere else")
    func onlyWhereKnown() throws {
        var bed = SmallShelf.bedMachine()
        bed["thickness"].value = { x, y in x < 8000 ? -9999 : SmallShelf.h(x, y) }
        var velocity = SmallShelf.measures()
        velocity["VX"].value = { x, y in y > 6000 ? .nan : SmallShelf.u(x, y) }
        let store = try Workplace(velocity, bed).store()
        // Half a cell of the mask's grid around centres, which lie at or beyond 8000 m and below 6000 m.
        #expect(try store.physical(.collocation, .x).allSatisfy { $0 > 7599 && $0 < 20_001 })
        #expect(try store.physical(.collocation, .y).allSatisfy { $0 < 6401 && $0 > 399 })
    }

    @Test("every column is normalised and every normal a unit vector")
    func columns() throws {
        let store = try Workplace().store()
        for set in PointSet.allCases where store.count(set) > 0 {
            for column in [Column.x, .y] { #expect(try store.stored(set, column).allSatisfy { abs($0) <= 1.0001 }) }
        }
        for column in [Column.u, .v] {
            let values = try store.stored(.velocity, column)
            let largest = values.reduce(0) { max($0, abs($1)) }
            #expect(largest > 0.99 && largest < 1.5)
        }
        let (nx, ny) = (try store.stored(.front, .normalX), try store.stored(.front, .normalY))
        #expect(zip(nx, ny).allSatisfy { abs($0 * $0 + $1 * $1 - 1) < 1e-6 })
    }

    @Test("portions that are made ahead come in order, each once", arguments: [1, 3, 16])
    func portions(depth: Int) {
        for count in [0, 1, 2, 100] {
            let ahead = PortionsAhead(count: count, depth: depth) { number in
                // Uneven work, so that they are not ready in order.
                (0..<(number % 7) * 10_000).reduce(number) { max($0, $1 & 1) }
            }
            #expect((0..<count).map { ahead.take($0) } == (0..<count).map { $0 % 7 > 0 ? max($0, 1) : $0 })
        }
    }
}
