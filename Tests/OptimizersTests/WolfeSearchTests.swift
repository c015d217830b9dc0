import Glibc
import Testing

import Optimizers

@Suite("A Wolfe search")
struct WolfeSearchTests {
    /// One-dimensional functions with their slopes, all falling at 0.
    private static let functions: [@Sendable (Double) -> (Double, Double)] = [
        { ($0 * $0 - 2 * $0, 2 * $0 - 2) },
        { (-$0 / ($0 * $0 + 2), ($0 * $0 - 2) / (($0 * $0 + 2) * ($0 * $0 + 2))) },  // Moré & Thuente (1994), 5.1
        { (pow($0 + 0.004, 5) - 2 * pow($0 + 0.004, 4), 5 * pow($0 + 0.004, 4) - 8 * pow($0 + 0.004, 3)) },  // 5.2
        { (exp(-$0) + 0.1 * $0, -exp(-$0) + 0.1) },
        { (sin(3 * $0) / 3 - 2 * $0 + 0.1 * $0 * $0, cos(3 * $0) - 2 + 0.2 * $0) },
    ]

    @Test(
        "ends at a length that meets both conditions, from any first length", arguments: 0..<5,
        [1e-3, 0.1, 1, 10, 1000])
    func conditions(number: Int, firstLength: Double) throws {
        let f = Self.functions[number]
        let start = WolfeSearch.Trial(length: 0, value: f(0).0, slope: f(0).1)
        var last = 0.0
        let search = WolfeSearch()
        let found = try #require(
            search.find(from: start, firstLength: firstLength) {
                last = $0
                return .init(length: $0, value: f($0).0, slope: f($0).1)
            })
        #expect(found.length == last && found.length > 0)
        #expect(
            found.value <= start.value + search.sufficientDecrease * found.length * start.slope
                + search.noise * abs(start.value))
        #expect(abs(found.slope) <= search.curvature * abs(start.slope))
    }

    @Test("takes a step whose decrease is lost in rounding, and none that the slopes do not foretell")
    func rounding() throws {
        // Values that jump by 1e-4 of themselves, and a decrease by 1e-6.
        var trials = 0
        let found = WolfeSearch().find(from: .init(length: 0, value: 1, slope: -2e-6), firstLength: 1) {
            trials += 1
            return .init(length: $0, value: 1 + 1e-4, slope: -2e-6 * (1 - $0))
        }
        #expect(trials == 1 && found?.length == 1)
        // The same values, and slopes that foretell a decrease by a half.
        let other = WolfeSearch().find(from: .init(length: 0, value: 1, slope: -1), firstLength: 1) {
            .init(length: $0, value: 1 + 1e-4, slope: -(1 - $0))
        }
        #expect(other == nil)
    }

    @Test("finds nothing where the slope is not downhill")
    func uphill() {
        let found = WolfeSearch().find(from: .init(length: 0, value: 1, slope: 0.5), firstLength: 1) { _ in
            Issue.record("nothing is to be tried")
            return .init(length: 0, value: 0, slope: 0)
        }
        #expect(found == nil)
    }
}
