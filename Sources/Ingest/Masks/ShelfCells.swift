import Fields

/// The cells of the mask's grid with the selected ice where both velocity and thickness are known: the equations are imposed there,
/// and nowhere else.
struct ShelfCells {
    /// Row-major cells of the mask's grid, ascending.
    private(set) var cells: [Int32] = []
    private(set) var known: CellSet
    private(set) var withoutVelocity = 0
    private(set) var withoutThickness = 0

    init(
        of ice: IceMask, mask: MaskField, velocity: Observations, on velocityGrid: GridWindow, thickness: Observations,
        on thicknessGrid: GridWindow
    ) {
        let grid = mask.window.grid
        known = CellSet(capacity: grid.cellCount)
        cells.reserveCapacity(mask.codes.count(of: ice.rawValue))
        let toVelocity = NearestCells(from: grid, to: velocityGrid.grid)
        let toThickness = NearestCells(from: grid, to: thicknessGrid.grid)
        for row in 0..<grid.rows {
            for column in 0..<grid.columns {
                let cell = row * grid.columns + column
                guard mask.codes[cell] == ice.rawValue else { continue }
                guard let v = toVelocity.cell(row: row, column: column), velocity.present.contains(v) else {
                    withoutVelocity += 1
                    continue
                }
                guard let h = toThickness.cell(row: row, column: column), thickness.present.contains(h) else {
                    withoutThickness += 1
                    continue
                }
                cells.append(Int32(cell))
                known.insert(cell)
            }
        }
    }
}
