import Fields
import Ingest
import Testing

@Suite("Errors that the values themselves show")
struct NoiseEstimateTests {
    /// A shelf of 120 x 100 cells of 450 m with a shear margin 3 km wide.
    private static let columns = 120
    private static let cells = (0..<12_000).map { Int32($0) }

    private static func speed(_ cell: Int32) -> Double {
        let x = 450 * Double(Int(cell) % columns)
        let y = 450 * Double(Int(cell) / columns)
        let rise = (x - 20_000) / 1500
        return 400 + 0.01 * y + 300 * rise / (1 + rise * rise).squareRoot()
    }

    private func values(_ error: (Double) -> Double, seed: UInt64 = 3) -> [[Double]] {
        var normal = NormalNumbers(seed: seed)
        return [1.0, 0.3].map { part in
            Self.cells.map { cell in
                let value = part * Self.speed(cell)
                return value + error(value) * normal.next()
            }
        }
    }

    @Test("noise of one size is found to its size, whatever the speed")
    func uniform() throws {
        let noise = try #require(NoiseEstimate(of: values { _ in 20 }, at: Self.cells, columns: Self.columns))
        for speed in [150.0, 400, 700, 900] {
            #expect(noise.errors(at: speed).allSatisfy { abs($0 / 20 - 1) < 0.15 }, "\(speed)")
        }
    }

    @Test("noise that grows with the speed is found to grow")
    func proportional() throws {
        let noise = try #require(NoiseEstimate(of: values { 0.05 * $0 }, at: Self.cells, columns: Self.columns))
        // The components are 1 and 0.3 parts of 1.09^½ of a speed.
        for speed in [200.0, 500, 800] {
            for (error, part) in zip(noise.errors(at: speed), [1, 0.3]) {
                #expect(abs(error / (0.05 * speed * part / 1.09.squareRoot()) - 1) < 0.2, "\(speed)")
            }
        }
    }

    @Test("weights by it leave no bias, though they follow from values with errors")
    func bias() throws {
        let noisy = values { 0.1 * $0 }
        let noise = try #require(NoiseEstimate(of: noisy, at: Self.cells, columns: Self.columns))
        let errors = Self.cells.indices.map { noise.errors(near: $0, noisy, Self.cells, columns: Self.columns)[0] }
        let weights = weights(fromErrors: [errors], scales: [1], count: errors.count)[0]
        let ratios = Self.cells.indices.map { noisy[0][$0] / Self.speed(Self.cells[$0]) }
        let mean = zip(weights, ratios).reduce(0) { $0 + $1.0 * $1.1 } / Double(ratios.count)
        // Its standard error is 0.0013; by each cell's own value it would be 0.98.
        #expect(abs(mean - 1) < 0.005)
    }

    @Test("sharp ice without noise shows none, nor does noise below a hundredth of the speed")
    func none() {
        #expect(NoiseEstimate(of: values { _ in 0 }, at: Self.cells, columns: Self.columns) == nil)
        #expect(NoiseEstimate(of: values { 0.005 * $0 }, at: Self.cells, columns: Self.columns) == nil)
    }

    @Test("a component that shows none has none, whatever the other shows")
    func oneComponent() throws {
        let (clean, noisy) = (values { _ in 0 }, values { 0.05 * $0 })
        let noise = try #require(
            NoiseEstimate(of: [noisy[0], clean[1]], at: Self.cells, columns: Self.columns))
        #expect(noise.errors(at: 500)[0] > 10 && noise.errors(at: 500)[1].isNaN)
        let nothing = Self.cells.map { 1e-6 * Double($0 % 3) }
        let other = try #require(NoiseEstimate(of: [noisy[0], nothing], at: Self.cells, columns: Self.columns))
        #expect(other.errors(at: 500)[1].isNaN)
    }

    @Test("a few wild cells do not count")
    func wildCells() throws {
        var wild = values { _ in 20 }
        for cell in stride(from: 7, to: wild[0].count, by: 200) { wild[0][cell] += 5000 }
        let noise = try #require(NoiseEstimate(of: wild, at: Self.cells, columns: Self.columns))
        #expect(noise.errors(at: 500).allSatisfy { abs($0 / 20 - 1) < 0.2 })
    }

    @Test("only neighbours in a row are compared")
    func neighbours() {
        // Every row has another level, and every fifth cell is missing: no five neighbours are left.
        let some = Self.cells.filter { $0 % 5 != 4 }
        #expect(NoiseEstimate(of: [some.map { Double($0 % 7) }], at: some, columns: Self.columns) == nil)
        // Rows of four cells: a difference over the end of a row would see their steps.
        let steps = Self.cells.map { Double(100 + $0 / 4 % 2 * 50) }
        #expect(NoiseEstimate(of: [steps], at: Self.cells, columns: 4) == nil)
    }
}
