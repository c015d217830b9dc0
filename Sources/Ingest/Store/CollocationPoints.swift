import Fields
import PointStore

/// Collocation points: spread evenly over the cells where velocity and thickness are known, at random within a cell. A point is a
/// function of its index in the shuffled order, so a file of any length is written sequentially, without a list of points or a
/// second pass.
package struct CollocationPoints: Sendable {
    package let count: Int
    /// Row-major cells of the grid, ascending.
    private let cells: [Int32]
    private let grid: Grid
    private let spacingX: Double
    private let spacingY: Double
    /// Cells per point.
    private let share: Double
    private let order: IndexPermutation
    private let seed: UInt64

    package init(count: Int, in cells: [Int32], of grid: Grid, seed: UInt64) {
        precondition(count > 0 && !cells.isEmpty)
        self.count = count
        self.cells = cells
        self.grid = grid
        spacingX = grid.spacingX
        spacingY = grid.spacingY
        share = Double(cells.count) / Double(count)
        order = IndexPermutation(count: count, seed: mixed(seed, 11))
        self.seed = mixed(seed, 12)
    }

    /// Calls `use` with the number within the range, x and y of each point in a range of indices of the shuffled order.
    package func forEach(in places: Range<Int>, _ use: (Int, Double, Double) -> Void) {
        // Cells first: their list exceeds the cache, and a short loop keeps many loads in flight.
        let shares = order.indices(at: places).map(share)
        for (number, share) in shares.enumerated() {
            let point = position(in: share.cell, share.bits)
            use(number, point.x, point.y)
        }
    }

    /// Point q lies in the q-th of `count` equal shares of the list of cells: every cell has count / cells points, plus or minus
    /// one, and fewer points than cells are still spread over the whole shelf.
    private func share(_ q: Int) -> (cell: UInt32, bits: UInt64) {
        let bits = mixed(seed, UInt64(q))
        let place = (Double(q) + unitInterval(bits)) * share
        // 32 bits suffice for a cell, and divide twice as fast as 64.
        return (UInt32(bitPattern: cells[min(cells.count - 1, Int(place))]), bits)
    }

    private func position(in cell: UInt32, _ bits: UInt64) -> (x: Double, y: Double) {
        let (row, column) = cell.quotientAndRemainder(dividingBy: UInt32(grid.x.count))
        let acrossX = unitInterval(mixed(bits, 1)) - 0.5
        let acrossY = unitInterval(mixed(bits, 2)) - 0.5
        return (grid.x[Int(column)] + acrossX * spacingX, grid.y[Int(row)] + acrossY * spacingY)
    }
}
