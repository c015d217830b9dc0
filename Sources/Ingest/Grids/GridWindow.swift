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
                throw IngestError.unstructured(field.name, coordinate: line.name, path: path)
            }
            throw IngestError.badCoordinate(line.name, path: path, reason: "runs along the same dimension as y")
        }
        // Cells are nearly square in all products.
        let ratio = max(x.spacing, y.spacing) / min(x.spacing, y.spacing)
        if (500...2000).contains(ratio) {
            throw IngestError.badCoordinate(
                x.spacing < y.spacing ? line.name : lineY.name, path: path,
                reason:
                    "steps by \(plain(min(x.spacing, y.spacing))) m and \(quoted(x.spacing < y.spacing ? lineY.name : line.name)) by \(plain(max(x.spacing, y.spacing))) m, as if one were in kilometres; check its attribute 'units'"
            )
        }
        guard ratio < 20 else {
            throw IngestError.badCoordinate(
                line.name, path: path,
                reason:
                    "steps by \(plain(x.spacing)) m and \(quoted(lineY.name)) by \(plain(y.spacing)) m, but cells should be nearly square; check their attributes 'units'"
            )
        }
        for (name, spacing) in [(line.name, x.spacing), (lineY.name, y.spacing)]
        where !GridWindow.spacings.contains(spacing) {
            throw IngestError.badCoordinate(
                name, path: path,
                reason:
                    "steps by \(plain(spacing)) m, expected 0.1 m to 100 km; check its attribute 'units'"
            )
        }
        let extent = Region(xMin: x.lowest, xMax: x.highest, yMin: y.lowest, yMax: y.highest)
        guard let columns = GridWindow.inside(x.values, region.xMin, region.xMax),
            let rows = GridWindow.inside(y.values, region.yMin, region.yMax)
        else { throw IngestError.emptyRegion(region, path: path, extent: extent) }
        guard columns.count <= GridWindow.maxCells / rows.count else {
            throw IngestError.gridTooLarge(path: path, rows: rows.count, columns: columns.count)
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
        let halfX = x.spacing / 2
        let halfY = y.spacing / 2
        return Region(
            xMin: grid.x[0] - halfX, xMax: grid.x[columns - 1] + halfX,
            yMin: grid.y[rows - 1] - halfY, yMax: grid.y[0] + halfY)
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
