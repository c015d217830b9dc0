import Covariance
import Fields
import Foundation
import TestSupport
import Testing

@Suite("Cells that share their noise")
struct CorrelatedCellsTests {
    private let side = 160

    /// White noise, smoothed by a Gaussian of a standard deviation [cells]: its correlation has √2 times that length.
    private func noise(smoothedOver deviation: Double) -> [Float] {
        var numbers = NormalNumbers(seed: 3)
        let margin = 20
        let wide = side + 2 * margin
        var values = (0..<wide * wide).map { _ in numbers.next() }
        if deviation > 0 {
            let reach = Int(4 * deviation) + 1
            let kernel = (-reach...reach).map { exp(-Double($0 * $0) / (2 * deviation * deviation)) }
            for stride in [1, wide] {
                let before = values
                for place in values.indices {
                    values[place] = zip(-reach...reach, kernel).reduce(0) { sum, each in
                        let from = place + each.0 * stride
                        return before.indices.contains(from) ? sum + each.1 * before[from] : sum
                    }
                }
            }
        }
        return (0..<side * side).map { Float(values[($0 / side + margin) * wide + $0 % side + margin]) }
    }

    @Test("are one for independent noise")
    func independent() {
        let cells = (0..<Int32(side * side)).filter { $0 % 7 != 3 }
        let noise = noise(smoothedOver: 0)
        let found = CorrelatedCells.count(residuals: cells.map { noise[Int($0)] }, cells: cells, columns: side)
        #expect(found == 1)
        #expect(CorrelatedCells.count(length: 0, dx: 200, dy: 200) == 1)
    }

    @Test("are 2 π ℓ² cells of smoothed noise", arguments: [1.0, 2.0])
    func smoothed(deviation: Double) {
        let cells = Array(0..<Int32(side * side))
        let length = 2.0.squareRoot() * deviation
        let expected = 2 * Double.pi * length * length
        let found = CorrelatedCells.count(residuals: noise(smoothedOver: deviation), cells: cells, columns: side)
        #expect(abs(found / expected - 1) < 0.15, "\(found), \(expected)")
        #expect(abs(CorrelatedCells.count(length: 300 * length, dx: 300, dy: -300) / expected - 1) < 1e-3)
    }
}
