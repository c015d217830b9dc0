import Glibc
import PointStore

/// How many cells of a grid share their noise: the factor by which the variance of a mean over many cells exceeds that of independent
/// ones, Σ_d ρ(d) over the distances d of cells, with a correlation ρ.
package enum CorrelatedCells {
    /// For ρ = exp(−d² / 2 ℓ²); about 2 π ℓ² / (dx dy) where ℓ is longer than a cell.
    package static func count(length: Double, dx: Double, dy: Double) -> Double {
        guard length > 0 else { return 1 }
        func sum(_ spacing: Double) -> Double {
            // Beyond 6 ℓ there is 1e-8 of it.
            let reach = Int(min(6 * length / spacing, 1e6))
            return (0...reach).reduce(0) {
                let d = Double($1) * spacing / length
                return $0 + ($1 == 0 ? 1 : 2) * exp(-d * d / 2)
            }
        }
        return sum(abs(dx)) * sum(abs(dy))
    }

    /// From residuals: their correlation in rings of cells, up to the first ring without any that stands out from what chance makes
    /// of independent ones. What the networks fit of the noise is missing in residuals, so that noise with a length near what
    /// they resolve is not seen.
    ///
    /// - Parameters:
    ///   - cells: row-major numbers in a grid of so many columns.
    ///   - residuals: at these cells.
    package static func count(residuals: [Float], cells: [Int32], columns: Int) -> Double {
        let rows = (cells.max().map(Int.init) ?? 0) / columns + 1
        var map = [Float](repeating: .nan, count: rows * columns)
        for (cell, residual) in zip(cells, residuals) { map[Int(cell)] = residual }
        let variance = residuals.reduce(0) { $0 + Double($1) * Double($1) } / Double(max(residuals.count, 1))
        guard variance > 0 else { return 1 }
        var sum = 1.0
        for radius in 1...maxRadius {
            let lags = ring(radius)
            let correlations = lags.map { lag in
                correlation(map, rows, columns, cells: cells, down: lag.down, across: lag.across) / variance
            }
            let known = correlations.filter(\.isFinite)
            let mean = known.reduce(0, +) / Double(max(known.count, 1))
            let chance = 1 / (Double(residuals.count) * Double(max(known.count, 1))).squareRoot()
            guard mean > max(4 * chance, 0.01) else { break }
            // Of each lag there is the opposite one too.
            sum += 2 * known.reduce(0, +)
        }
        return sum
    }

    private static let maxRadius = 24

    /// Lags whose length rounds to a radius, of each and its opposite one.
    private static func ring(_ radius: Int) -> [(down: Int, across: Int)] {
        (0...radius).flatMap { down in
            (-radius...radius).compactMap { across in
                let length = Double(down * down + across * across).squareRoot()
                let isFirst = down > 0 || across > 0
                return isFirst && Int(length.rounded()) == radius ? (down, across) : nil
            }
        }
    }

    /// The mean product of residuals so far apart.
    private static func correlation(
        _ map: [Float], _ rows: Int, _ columns: Int, cells: [Int32], down: Int, across: Int
    ) -> Double {
        var (sum, pairs) = (0.0, 0)
        for cell in cells {
            let (row, column) = (Int(cell) / columns + down, Int(cell) % columns + across)
            guard row < rows, (0..<columns).contains(column) else { continue }
            let there = map[row * columns + column]
            if there.isNaN { continue }
            sum += Double(map[Int(cell)]) * Double(there)
            pairs += 1
        }
        return pairs > 0 ? sum / Double(pairs) : .nan
    }
}
