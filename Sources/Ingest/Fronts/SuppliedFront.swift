import Fields

/// Points of the calving front that a product supplies, used as they are, in place of the mask's border.
struct SuppliedFront {
    let points: [FrontPoint]
    /// Points left out: without a position or a direction, and outside the region or far from the selected ice.
    let withoutDirection: Int
    let beyondData: Int

    /// Maximum distance of a front point from a cell with data [m]: products leave a gap at the edge.
    private static let reach = 5000.0

    /// Nil where the product supplies none.
    ///
    /// - Parameters:
    ///   - known: cells of `grid` with the selected ice and data.
    init?(of product: ProductFile, in region: Region, at known: CellSet, of grid: Grid) throws {
        guard let names = product.schema.front else { return nil }
        let bad = { (reason: String) in
            PlainFailure("\(product.path): \(reason); each point of a front needs a position and an outward normal")
        }
        let all = [names.x, names.y, names.normal]
        let arrays = all.compactMap { product.file.array($0) }
        if arrays.isEmpty { return nil }
        if let missing = all.first(where: { product.file.array($0) == nil }) {
            throw bad("no variable \(quoted(missing))")
        }
        let (xArray, yArray, normalArray) = (arrays[0], arrays[1], arrays[2])
        let count = xArray.shape.reduce(1, *)
        let shape = normalArray.shape
        guard yArray.shape.reduce(1, *) == count, shape.reduce(1, *) == 2 * count, shape.contains(2) else {
            throw bad(
                "variables \(quoted(names.x)) \(xArray.shape), \(quoted(names.y)) \(yArray.shape) and \(quoted(names.normal)) \(shape) do not match"
            )
        }
        let (x, y, normal) = (try xArray.numbers(), try yArray.numbers(), try normalArray.numbers())
        // MATLAB's (points, 2) is (2, points) here.
        let byComponent = shape[0] == 2
        var points: [FrontPoint] = []
        for place in 0..<count {
            let normalX = byComponent ? normal[place] : normal[2 * place]
            let normalY = byComponent ? normal[count + place] : normal[2 * place + 1]
            let length = (normalX * normalX + normalY * normalY).squareRoot()
            guard length > 0, length.isFinite, x[place].isFinite, y[place].isFinite else { continue }
            points.append(
                FrontPoint(x: x[place], y: y[place], normalX: normalX / length, normalY: normalY / length))
        }
        withoutDirection = count - points.count
        self.points = points.filter {
            region.contains(x: $0.x, y: $0.y) && SuppliedFront.isNear($0, known, grid)
        }
        beyondData = points.count - self.points.count
    }

    private static func isNear(_ point: FrontPoint, _ known: CellSet, _ grid: Grid) -> Bool {
        let place = grid.fractionalIndex(x: point.x, y: point.y)
        guard place.column.isFinite, place.row.isFinite else { return false }
        func range(_ at: Double, _ spacing: Double, _ count: Int) -> Range<Int>? {
            // At least one cell, for coarse grids.
            let cells = max(1.5, reach / abs(spacing))
            let (first, last) = ((at - cells).rounded(.up), (at + cells).rounded(.down))
            guard last >= 0, first < Double(count) else { return nil }
            return max(0, Int(first))..<min(count, Int(last) + 1)
        }
        guard let columns = range(place.column, grid.spacingX, grid.columns),
            let rows = range(place.row, grid.spacingY, grid.rows)
        else { return false }
        return rows.contains { row in columns.contains { known.contains(row * grid.columns + $0) } }
    }
}
