import Fields

/// For each cell of one grid, the cell of another that contains its centre. Products have different grids (450 m and 500 m,
/// different origins), so indices of one never apply to the other.
struct NearestCells: Sendable {
    private let column: [Int32]
    private let row: [Int32]
    private let columns: Int

    init(from grid: Grid, to other: Grid) {
        column = grid.x.map {
            NearestCells.index(of: $0, from: other.x[0], spacing: other.spacingX, count: other.columns)
        }
        row = grid.y.map { NearestCells.index(of: $0, from: other.y[0], spacing: other.spacingY, count: other.rows) }
        columns = other.columns
    }

    /// Row-major cell of the other grid; nil outside it.
    func cell(row r: Int, column c: Int) -> Int? {
        row[r] < 0 || column[c] < 0 ? nil : Int(row[r]) * columns + Int(column[c])
    }

    /// Whether no cells overlap.
    var isEmpty: Bool { column.allSatisfy { $0 < 0 } || row.allSatisfy { $0 < 0 } }

    private static func index(of position: Double, from first: Double, spacing: Double, count: Int) -> Int32 {
        // A position on an edge belongs to the next cell, so that each belongs to exactly one.
        let index = ((position - first) / spacing + 0.5).rounded(.down)
        return index >= 0 && index < Double(count) ? Int32(index) : -1
    }
}
