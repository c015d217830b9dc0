import Fields
import PointStore

/// Everything that goes into a store. Each set is written sequentially in its shuffled order, in portions, so that memory does not
/// grow with the number of points.
struct StoreContent: Sendable {
    let velocity: Observations
    let velocityGrid: GridWindow
    let velocityMask: [UInt8]
    let thickness: Observations
    let thicknessGrid: GridWindow
    let thicknessMask: [UInt8]
    /// Heights of the surface on the thickness grid, where the ice needs them.
    let surface: Observations?
    let ice: IceMask
    /// Cells for collocation points, and their grid.
    let shelf: [Int32]
    let shelfGrid: Grid
    let front: [FrontPoint]
    let points: Int
    let seed: UInt64

    /// Points that are computed and written at once: 256 kB for each column, which stay in the cache until written.
    private static let portion = 1 << 16
    /// Portions that are computed ahead, at most 1.5 MB each: enough for the cores of a workstation, which compute faster than one
    /// thread writes.
    static let portionsAhead = 16

    /// Counts, normalisation, scales and grids; the caller adds densities and provenance.
    var description: StoreDescription {
        let normalizations = self.normalizations
        var counts: [PointSet: Int] = [.collocation: points, .velocity: velocity.count, .thickness: thickness.count]
        if let surface { counts[.surface] = surface.count }
        if !front.isEmpty { counts[.front] = front.count }
        var grids = [StoredGrid(name: "velocity", grid: velocityGrid.grid, mask: storedMask(velocityMask))]
        if !velocityGrid.isSameGrid(as: thicknessGrid) {
            grids.append(StoredGrid(name: "thickness", grid: thicknessGrid.grid, mask: storedMask(thicknessMask)))
        }
        var gridOfSet: [PointSet: String] = [.velocity: "velocity", .thickness: grids.last!.name]
        if surface != nil { gridOfSet[.surface] = grids.last!.name }
        var description = StoreDescription(
            counts: counts, normalizations: normalizations.columns, scales: normalizations.scales, grids: grids,
            gridOfSet: gridOfSet, seed: seed)
        description.ice = ice
        return description
    }

    /// Writes the store; nothing is left after a failure.
    func write(to path: String, _ description: StoreDescription, progress: (Int, Int) throws -> Void) throws {
        let writer = try StoreWriter(path: path, description)
        let total = description.counts.values.reduce(0, +)
        let columns = StoreColumns(self, description.normalizations)
        var done = 0
        for set in PointSet.allCases {
            guard let count = description.counts[set] else { continue }
            let places = { @Sendable (number: Int) in
                number * StoreContent.portion..<min((number + 1) * StoreContent.portion, count)
            }
            let portions = (count + StoreContent.portion - 1) / StoreContent.portion
            let ahead = PortionsAhead(count: portions, depth: StoreContent.portionsAhead) {
                (values: columns.values(of: set, places($0)), cells: columns.cells(of: set, places($0)))
            }
            for number in 0..<portions {
                let portion = ahead.take(number)
                try writer.append(portion.values, to: set)
                if let cells = portion.cells {
                    try writer.write(cells: cells, of: set, from: places(number).lowerBound)
                }
                done += places(number).count
                try progress(done, total)
            }
        }
        try writer.finish()
    }

    // MARK: private

    private var normalizations: (columns: [Column: Normalization], scales: Scales) {
        var box = Region.nothing
        for point in front { box.include(x: point.x, y: point.y) }
        // Cells with their whole area.
        for (cells, grid) in [
            (velocity.cells, velocityGrid.grid), (thickness.cells, thicknessGrid.grid), (shelf, shelfGrid),
        ] {
            let (halfX, halfY) = (abs(grid.spacingX) / 2, abs(grid.spacingY) / 2)
            for cell in cells {
                let (row, column) = Int(cell).quotientAndRemainder(dividingBy: grid.columns)
                box.include(x: grid.x[column] - halfX, y: grid.y[row] - halfY)
                box.include(x: grid.x[column] + halfX, y: grid.y[row] + halfY)
            }
        }
        let x = NormalizationChoice.ofPositions(lowest: box.xMin, highest: box.xMax)
        let y = NormalizationChoice.ofPositions(lowest: box.yMin, highest: box.yMax)
        let u = NormalizationChoice.ofValues(velocity.values[0])
        let v = NormalizationChoice.ofValues(velocity.values[1])
        let h = NormalizationChoice.ofValues(thickness.values[0])
        let scales = Scales(
            length: max(x.scale, y.scale), speed: max(u.scale, v.scale) * Unit.metersPerYear.factor,
            // The mean of positive values.
            thickness: h.offset)
        var columns: [Column: Normalization] = [.x: x, .y: y, .u: u, .v: v, .h: h]
        if let surface { columns[.s] = NormalizationChoice.ofValues(surface.values[0]) }
        return (columns, scales)
    }

    /// A mask in the store's four covers: unknown cells become ocean, that is, no ice. Usually there are none, and a mask of 178 MB
    /// is not copied.
    private func storedMask(_ codes: [UInt8]) -> [UInt8] {
        guard codes.contains(MaskField.unknown) else { return codes }
        return codes.map { $0 == MaskField.unknown ? IceMask.ocean.rawValue : $0 }
    }
}
