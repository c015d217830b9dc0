import Fields

/// An area of the map: polygons with holes, their corners in projection coordinates [m].
package struct Polygon {
    package typealias Ring = [(x: Double, y: Double)]

    /// Polygons with their holes, rings in any order. A point is inside a part if it is inside an odd number of its rings.
    let parts: [[Ring]]

    /// The bounding box.
    var bounds: Region {
        parts.joined().joined().reduce(into: Region.nothing) { $0.include(x: $1.x, y: $1.y) }
    }

    /// The cells of a grid (x ascending, y descending) whose centres are inside.
    func cells(of grid: Grid) -> CellRuns {
        var runs = CellRuns(rows: grid.rows)
        let crossings = parts.map { rowCrossings(of: $0, grid) }
        for row in 0..<grid.rows {
            for part in crossings {
                let xs = part[row].sorted()
                for pair in stride(from: 0, to: xs.count - 1, by: 2) {
                    runs.insert(firstColumn(at: xs[pair], grid)..<firstColumn(at: xs[pair + 1], grid), row: row)
                }
            }
        }
        return runs
    }

    /// The x at which the edges of a part cross each row. An edge includes its upper end and not its lower one, so that corners
    /// count once.
    private func rowCrossings(of part: [Ring], _ grid: Grid) -> [[Double]] {
        var xs = [[Double]](repeating: [], count: grid.rows)
        let spacing = -grid.spacingY
        for ring in part {
            for (number, a) in ring.enumerated() {
                let b = ring[number + 1 == ring.count ? 0 : number + 1]
                let (low, high) = (min(a.y, b.y), max(a.y, b.y))
                guard low < high else { continue }
                // Row r is at y₀ - r · spacing.
                let from = ((grid.y[0] - high) / spacing - 1).rounded(.down)
                let to = ((grid.y[0] - low) / spacing + 1).rounded(.up)
                guard to >= 0, from <= Double(grid.rows - 1) else { continue }
                for row in Int(max(0, from))...Int(min(Double(grid.rows - 1), to)) {
                    let y = grid.y[row]
                    if y > low, y <= high { xs[row].append(a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x)) }
                }
            }
        }
        return xs
    }

    /// The first column whose centre is at x or to its right.
    private func firstColumn(at x: Double, _ grid: Grid) -> Int {
        let place = ((x - grid.x[0]) / grid.spacingX).rounded(.up)
        return Int(min(Double(grid.columns), max(0, place)))
    }
}
