import Fields
import NetCDFFiles

/// The part of a product's grid inside the region: rows from the largest y down, columns by ascending x.
struct GridWindow {
    let path: String
    let x: Axis
    let y: Axis
    /// The cells of the window; cell indices are row-major in it, here and in the store.
    let grid: Grid

    var rows: Int { grid.rows }
    var columns: Int { grid.columns }

    /// More than the finest map of Antarctica has; cell indices fit into 32 bits.
    private static let maxCells = 1 << 30
    /// Plausible spacings [m].
    private static let spacings = 0.1...1e5

    init(of field: any ProductArray, in product: ProductFile, region: Region) throws {
        path = product.path
        let line = try product.coordinateLine(.x, of: field)
        var x = try Axis(.x, line)
        let lineY = try product.coordinateLine(.y, of: field)
        var y = try Axis(.y, lineY)
        guard x.dimension != y.dimension else {
            if field.properDimensions.count < 2 {
                throw PlainFailure.unstructured(field, coordinate: line.name)
            }
            throw PlainFailure.badCoordinate(line.name, path: path, "runs along the same dimension as y")
        }
        // Cells are nearly square in all products.
        let (fine, coarse) = x.spacing < y.spacing ? ((line, x), (lineY, y)) : ((lineY, y), (line, x))
        let ratio = coarse.1.spacing / fine.1.spacing
        guard ratio < 20 else {
            let isUnit = (500...2000).contains(ratio)
            throw PlainFailure.badCoordinate(
                fine.0.name, path: path,
                "steps by \(plain(fine.1.spacing)) m and \(quoted(coarse.0.name)) by \(plain(coarse.1.spacing)) m, \(isUnit ? "as if one were in kilometres" : "but cells should be nearly square"); check their attributes 'units'"
            )
        }
        for (line, axis) in [fine, coarse] where !GridWindow.spacings.contains(axis.spacing) {
            throw PlainFailure.badCoordinate(
                line.name, path: path,
                "steps by \(plain(axis.spacing)) m, expected 0.1 m to 100 km; check its attribute 'units'")
        }
        guard let columns = GridWindow.inside(x.values, region.xMin, region.xMax),
            let rows = GridWindow.inside(y.values, region.yMin, region.yMax)
        else {
            let extent = Region(xMin: x.lowest, xMax: x.highest, yMin: y.lowest, yMax: y.highest)
            throw PlainFailure(
                "\(path): fewer than 2 x 2 of its cells are in the region \(region.text); it covers \(extent.text); choose --region xmin,xmax,ymin,ymax within that"
            )
        }
        guard columns.count <= GridWindow.maxCells / rows.count else {
            throw PlainFailure(
                "\(path): a grid of \(rows.count) x \(columns.count) cells is too large to be real; crop it with --region"
            )
        }
        x.range = columns
        y.range = rows
        self.x = x
        self.y = y
        grid = Grid(
            x: Array(x.values[columns]), y: Array(y.values[rows]), projection: product.projection(of: field))
    }

    /// From the outer edge of the first cell to that of the last, within the window.
    var extent: Region {
        let (halfX, halfY) = (x.spacing / 2, y.spacing / 2)
        return Region(
            xMin: grid.x[0] - halfX, xMax: grid.x[columns - 1] + halfX,
            yMin: grid.y[rows - 1] - halfY, yMax: grid.y[0] + halfY)
    }

    /// Throws where coordinates are in another projection.
    func requireProjection(of other: Projection?, at otherPath: String) throws {
        guard let mine = grid.projection, let other, let difference = mine.firstDifference(from: other) else { return }
        throw PlainFailure(
            "\(path) has \(quoted(difference.attribute)) \(difference.mine) in its projection and \(otherPath) has \(difference.other): their coordinates are not comparable; reproject one of them to the projection of the other"
        )
    }

    /// Whether both have the same cells, so that one grid in the store serves both.
    func isSameGrid(as other: GridWindow) -> Bool { grid.x == other.grid.x && grid.y == other.grid.y }

    /// Bands of rows of the window that are read at once: about four million cells, and whole chunks of the file, so that none
    /// is decompressed twice.
    func bands(chunkRows: Int) -> [Range<Int>] {
        let maxRows = max(1, (1 << 22) / columns)
        let aligned =
            chunkRows <= maxRows
            ? maxRows / chunkRows * chunkRows : (chunkRows * columns <= 1 << 24 ? chunkRows : maxRows)
        var bands: [Range<Int>] = []
        var start = y.range.lowerBound
        while start < y.range.upperBound {
            let count = y.values.count
            let next = y.isReversed ? count - (count - start - 1) / aligned * aligned : (start / aligned + 1) * aligned
            let end = min(next, y.range.upperBound)
            bands.append(start - y.range.lowerBound..<end - y.range.lowerBound)
            start = end
        }
        return bands
    }

    /// Indices of the values within the limits; contiguous, because the values are monotonic.
    private static func inside(_ values: [Double], _ lowest: Double, _ highest: Double) -> Range<Int>? {
        guard let first = values.firstIndex(where: { $0 >= lowest && $0 <= highest }),
            let last = values.lastIndex(where: { $0 >= lowest && $0 <= highest })
        else { return nil }
        // A single row or column has no spacing.
        return last > first ? first..<last + 1 : nil
    }
}
