import Fields
import PointStore

/// Positions where the equations are asked to hold: spread evenly over the cells where velocity and thickness are known
/// and at random within them. A point is a function of its place in the shuffled order alone, so that a file of any
/// length is written front to back, and no list of points and no second pass is needed.
package struct CollocationPoints {
    package let count: Int
    /// Row-major cells of the grid, ascending.
    private let cells: [Int32]
    private let grid: Grid
    private let order: IndexPermutation
    private let seed: UInt64

    package init(count: Int, in cells: [Int32], of grid: Grid, seed: UInt64) {
        precondition(count > 0 && !cells.isEmpty)
        self.count = count
        self.cells = cells
        self.grid = grid
        order = IndexPermutation(count: count, seed: mixed(seed, 11))
        self.seed = mixed(seed, 12)
    }

    /// The point at a place of the shuffled order.
    ///
    /// Point q falls into the q-th of `count` equal shares of the list of cells: every cell has count / cells points, give
    /// or take one, and with fewer points than cells they are still spread over all of the shelf.
    package subscript(place: Int) -> (x: Double, y: Double) {
        let q = order[place]
        let bits = mixed(seed, UInt64(q))
        let share = (Double(q) + unitInterval(bits)) * (Double(cells.count) / Double(count))
        let cell = Int(cells[min(cells.count - 1, Int(share))])
        let acrossX = unitInterval(mixed(bits, 1)) - 0.5
        let acrossY = unitInterval(mixed(bits, 2)) - 0.5
        return (
            grid.x[cell % grid.columns] + acrossX * grid.spacingX, grid.y[cell / grid.columns] + acrossY * grid.spacingY
        )
    }
}
