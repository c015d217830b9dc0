import Fields
import Testing

@Suite("Statistics")
struct StatisticsTests {
    @Test("quantiles lie between neighbours, as numpy.quantile has them by default")
    func quantiles() throws {
        #expect([3.0, 1, 2].median == 2 && [4.0, 1, 3, 2].median == 2.5)
        #expect([0.0, 1, 2, 3, 4].quartiles == [1, 3])
        // numpy.quantile([1, 2, 4, 8, 16], [0, 0.1, 0.95, 1])
        let shares = try #require([Float]([16, 1, 8, 2, 4]).quantiles([0, 0.1, 0.95, 1]))
        #expect(zip(shares, [1, 1.4, 14.4, 16]).allSatisfy { abs($0 - $1) < 1e-12 })
    }

    @Test("nothing and NaN have no quantiles; infinite values have")
    func edges() {
        #expect([Double]().median == nil && [Double]().quartiles.isEmpty && [Double]().mean == nil)
        #expect([Double]().rootMeanSquare == nil && [Double]().upperMedian == nil)
        #expect([1, Double.nan].median == nil)
        #expect([1, .infinity, Double.infinity].quantiles([0, 0.75, 1]) == [1, .infinity, .infinity])
    }

    @Test("mean, root mean square, and the upper of two middle values")
    func others() {
        #expect([1, 2, 6.0].mean == 3 && [Float]([3, -3]).rootMeanSquare == 3)
        #expect([4.0, 1, 3, 2].upperMedian == 3 && [5.0, 1, 3].upperMedian == 3)
    }
}
