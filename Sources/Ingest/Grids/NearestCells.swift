import Fields

/// For each cell of one grid the cell of another that its centre lies in. Products share no grid (450 m against 500 m,
/// other origins), so nothing is ever indexed across.
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

    /// Row-major cell of the other grid, nil outside of it.
    func cell(row r: Int, column c: Int) -> Int? {
        let otherRow = row[r]
        let otherColumn = column[c]
        return otherRow < 0 || otherColumn < 0 ? nil : Int(otherRow) * columns + Int(otherColumn)
    }

    /// Whether any two cells meet.
    var isEmpty: Bool { column.allSatisfy { $0 < 0 } || row.allSatisfy { $0 < 0 } }

    private static func index(of position: Double, from first: Double, spacing: Double, count: Int) -> Int32 {
        // Half-way counts to the next cell: each position belongs to exactly one.
        let index = ((position - first) / spacing + 0.5).rounded(.down)
        return index >= 0 && index < Double(count) ? Int32(index) : -1
    }
}
