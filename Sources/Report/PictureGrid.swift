import Fields
import PointStore

/// The cells of a grid that a picture shows: the box around the ice, subsampled to the resolution of a page, with y upwards
/// and x to the right.
struct PictureGrid {
    let stored: StoredGrid
    /// Every `step`-th row and column is shown.
    let step: Int
    /// Grid rows from the top of the picture, and grid columns from its left.
    let rows: [Int]
    let columns: [Int]
    /// Pixel row of each grid row and pixel column of each grid column; -1 if not shown.
    private let rowOfGrid: [Int32]
    private let columnOfGrid: [Int32]

    /// Largest number of pixels along an axis; more would make the page large without being visible.
    static let maxPixels = 500_000

    /// Nil if the grid has no such ice.
    init?(_ stored: StoredGrid, ice: IceMask) {
        let grid = stored.grid
        var top = grid.rows, bottom = -1, left = grid.columns, right = -1
        for row in 0..<grid.rows {
            let line = stored.mask[row * grid.columns..<(row + 1) * grid.columns]
            guard let first = line.firstIndex(of: ice.rawValue), let last = line.lastIndex(of: ice.rawValue) else {
                continue
            }
            (top, bottom) = (min(top, row), row)
            (left, right) = (min(left, first - line.startIndex), max(right, last - line.startIndex))
        }
        guard bottom >= 0 else { return nil }
        let margin = max(2, max(bottom - top, right - left) / 40)
        let shownRows = max(0, top - margin)..<min(grid.rows, bottom + margin + 1)
        let shownColumns = max(0, left - margin)..<min(grid.columns, right + margin + 1)
        var step = 1
        func count(_ range: Range<Int>) -> Int { (range.count + step - 1) / step }
        while count(shownRows) * count(shownColumns) > PictureGrid.maxPixels { step += 1 }
        func thinned(_ range: Range<Int>, reversed: Bool) -> [Int] {
            // The middle of each group represents it.
            let places = Array(
                stride(from: range.lowerBound + min(step, range.count) / 2, to: range.upperBound, by: step))
            return reversed ? places.reversed() : places
        }
        self.stored = stored
        self.step = step
        rows = thinned(shownRows, reversed: grid.spacingY > 0 && grid.rows > 1)
        columns = thinned(shownColumns, reversed: grid.spacingX < 0)
        func inverse(_ places: [Int], _ count: Int) -> [Int32] {
            var pixels = [Int32](repeating: -1, count: count)
            for (pixel, place) in places.enumerated() { pixels[place] = Int32(pixel) }
            return pixels
        }
        rowOfGrid = inverse(rows, grid.rows)
        columnOfGrid = inverse(columns, grid.columns)
    }

    var width: Int { columns.count }
    var height: Int { rows.count }
    var pixelCount: Int { width * height }

    /// Distances between pixels [m].
    var pixelWidth: Double { abs(stored.grid.spacingX) * Double(step) }
    var pixelHeight: Double { abs(stored.grid.spacingY) * Double(step) }

    /// Outer edges of the picture [m].
    var extent: Region {
        let x = [stored.grid.x[columns[0]], stored.grid.x[columns[width - 1]]]
        let y = [stored.grid.y[rows[0]], stored.grid.y[rows[height - 1]]]
        return Region(
            xMin: x.min()! - pixelWidth / 2, xMax: x.max()! + pixelWidth / 2, yMin: y.min()! - pixelHeight / 2,
            yMax: y.max()! + pixelHeight / 2)
    }

    func position(of pixel: Int) -> (x: Double, y: Double) {
        (stored.grid.x[columns[pixel % width]], stored.grid.y[rows[pixel / width]])
    }

    func cover(of pixel: Int) -> UInt8 {
        stored.mask[rows[pixel / width] * stored.grid.columns + columns[pixel % width]]
    }

    /// The pixel that shows the cell of a position; nil if the cell is not shown.
    func pixel(x: Double, y: Double) -> Int? {
        guard let cell = stored.grid.cell(containingX: x, y: y) else { return nil }
        let row = rowOfGrid[cell / stored.grid.columns]
        let column = columnOfGrid[cell % stored.grid.columns]
        return row < 0 || column < 0 ? nil : Int(row) * width + Int(column)
    }
}
