import Fields
import Glibc
import PointStore

/// Some observations of a set in patches of neighbours: the mean residual of a patch has the signal of each of its cells and less noise. A
/// patch has as many cells as it takes for noise not to outweigh signal in the means; where observations have no noise to speak of, one.
package struct ObservationPatches: Sendable {
    /// Cells of a patch.
    package let size: Int
    /// The columns of the set in the cells, patch by patch.
    package let cells: [FloatColumn]
    /// In the middle of each patch; weights are means too.
    package let centers: [FloatColumn]

    /// - Parameters:
    ///   - columns: of the set.
    ///   - outputs: residuals at its points, (outputs, points).
    package init(_ columns: [FloatColumn], outputs: [[Float]], count: Int, seed: UInt64) {
        let order = HilbertOrder.sorted(columns[0], columns[1], seed: seed)
        let size = ObservationPatches.size(order, outputs)
        self.size = size
        let points = stratified(count, of: order.count / size, seed: seed).flatMap {
            order[$0 * size..<($0 + 1) * size]
        }
        cells = columns.map { column in FloatColumn(points.map { column[$0] }) }
        centers = cells.map { column in
            FloatColumn(
                stride(from: 0, to: points.count, by: size).map { start in
                    (start..<start + size).reduce(Float(0)) { $0 + column[$1] } / Float(size)
                })
        }
    }

    /// Cells of a patch: so many that the squares of its mean hold four times as much signal as noise. What is noise shows in the
    /// means of four neighbours, which have their signal whole and a quarter of the noise.
    private static func size(_ order: [Int], _ outputs: [[Float]]) -> Int {
        let few = 4
        var (all, ofMeans) = (0.0, 0.0)
        for output in outputs {
            for start in stride(from: 0, to: order.count - few + 1, by: few) {
                var sum = 0.0
                for place in start..<start + few {
                    let value = Double(output[order[place]])
                    sum += value
                    all += value * value / Double(few)
                }
                ofMeans += sum * sum / Double(few * few)
            }
        }
        let noise = max(0, (all - ofMeans) * Double(few) / Double(few - 1))
        let signal = max(all - noise, all / Double(maxSize))
        guard noise > 0, signal > 0 else { return 1 }
        return min(maxSize, max(1, Int((Double(few) * noise / signal).rounded())), max(1, order.count))
    }

    private static let maxSize = 256
}

/// Points in the order of a Hilbert curve through a square that is turned at random: runs of it are compact patches.
package enum HilbertOrder {
    package static func sorted(_ x: FloatColumn, _ y: FloatColumn, seed: UInt64) -> [Int] {
        let angle = Float(unitInterval(seed)) * 2 * .pi
        let (c, s) = (cosf(angle), sinf(angle))
        // Normalised coordinates lie within -1 to 1, turned within ±√2.
        let scale = Float(1 << (bits - 1)) / 1.5
        func cell(_ value: Float) -> UInt32 { UInt32(min(max((value + 1.5) * scale, 0), Float(1 << bits) - 1)) }
        let keys = x.indices.map { point -> UInt64 in
            let key = index(cell(c * x[point] - s * y[point]), cell(s * x[point] + c * y[point]))
            return UInt64(key) << 32 | UInt64(point)
        }
        return keys.sorted().map { Int($0 & 0xffff_ffff) }
    }

    private static let bits = 15

    /// The distance along the curve.
    private static func index(_ column: UInt32, _ row: UInt32) -> UInt32 {
        var (x, y, distance) = (column, row, UInt32(0))
        var side = UInt32(1) << (bits - 1)
        while side > 0 {
            let (right, up) = (x & side != 0, y & side != 0)
            distance += side * side * (right ? (up ? 2 : 3) : (up ? 1 : 0))
            if !up {
                if right { (x, y) = (~x, ~y) }
                swap(&x, &y)
            }
            side >>= 1
        }
        return distance
    }
}
