import Fields

/// A face between a floating cell and an ocean cell.
struct FrontFace {
    var row: Int
    var column: Int
    /// Midpoint [m].
    var x: Double
    var y: Double
    /// Outward unit normal, along an axis.
    var normalX: Double
    var normalY: Double
}

/// Consecutive faces along the border of the ice: a calving front from wall to wall, or around an iceberg or an opening. A line
/// ends at grounded ice, land, unknown cells and the border of the grid.
struct FrontLine {
    private(set) var faces: [FrontFace]
    private(set) var isClosed: Bool

    /// The lines of a mask (row-major `IceMask` codes), ordered by their first cell, open ones first. Floating cells are connected
    /// by their sides, not by their corners.
    static func lines(_ codes: [UInt8], _ grid: Grid) -> [FrontLine] {
        let tracing = Tracing(codes: codes, rows: grid.rows, columns: grid.columns)
        return tracing.runs.map { run in
            FrontLine(faces: run.faces.map { tracing.face($0, grid) }, isClosed: run.isClosed)
        }
    }
}

/// Follows faces with the ice on the left. The sides of a cell are numbered east, north, west, south, so that the side after
/// the current one is the one ahead.
private struct Tracing {
    private let codes: [UInt8]
    private let rows: Int
    private let columns: Int
    /// 4 · cell + side of every face, ascending.
    private var keys: [Int] = []
    /// The place of each key.
    private var numbers: [Int: Int] = [:]
    private(set) var runs: [(faces: [Int], isClosed: Bool)] = []

    private static let stepRow = [0, -1, 0, 1]
    private static let stepColumn = [1, 0, -1, 0]

    init(codes: [UInt8], rows: Int, columns: Int) {
        self.codes = codes
        self.rows = rows
        self.columns = columns
        for row in 0..<rows {
            for column in 0..<columns where isFloating(row, column) {
                for side in 0..<4 where isOcean(row + Tracing.stepRow[side], column + Tracing.stepColumn[side]) {
                    keys.append(4 * (row * columns + column) + side)
                }
            }
        }
        numbers = Dictionary(uniqueKeysWithValues: zip(keys, keys.indices))
        let next = keys.map { following($0) }
        var isFollowed = [Bool](repeating: false, count: keys.count)
        for case let number? in next { isFollowed[number] = true }
        var isTaken = [Bool](repeating: false, count: keys.count)
        for isClosed in [false, true] {
            for first in keys.indices where !isTaken[first] && (isClosed || !isFollowed[first]) {
                var run: [Int] = []
                var number: Int? = first
                while let at = number, !isTaken[at] {
                    isTaken[at] = true
                    run.append(keys[at])
                    number = next[at]
                }
                runs.append((run, isClosed))
            }
        }
    }

    func face(_ key: Int, _ grid: Grid) -> FrontFace {
        let (cell, side) = (key / 4, key % 4)
        let (row, column) = (cell / columns, cell % columns)
        let towardX = Double(Tracing.stepColumn[side]) * grid.spacingX
        let towardY = Double(Tracing.stepRow[side]) * grid.spacingY
        return FrontFace(
            row: row, column: column, x: grid.x[column] + towardX / 2, y: grid.y[row] + towardY / 2,
            normalX: towardX == 0 ? 0 : (towardX > 0 ? 1 : -1), normalY: towardY == 0 ? 0 : (towardY > 0 ? 1 : -1))
    }

    /// The face with which the border of the ice continues; nil where it borders on something else than ocean.
    private func following(_ key: Int) -> Int? {
        let (row, column, side) = (key / 4 / columns, key / 4 % columns, key % 4)
        let ahead = (side + 1) % 4
        let (aheadRow, aheadColumn) = (row + Tracing.stepRow[ahead], column + Tracing.stepColumn[ahead])
        // Around the corner of this cell, straight along the next one, or into the corner made by a third.
        guard isFloating(aheadRow, aheadColumn) else { return number(row, column, ahead) }
        let (acrossRow, acrossColumn) = (aheadRow + Tracing.stepRow[side], aheadColumn + Tracing.stepColumn[side])
        return isFloating(acrossRow, acrossColumn)
            ? number(acrossRow, acrossColumn, (side + 3) % 4) : number(aheadRow, aheadColumn, side)
    }

    private func number(_ row: Int, _ column: Int, _ side: Int) -> Int? {
        numbers[4 * (row * columns + column) + side]
    }

    private func isFloating(_ row: Int, _ column: Int) -> Bool { code(row, column) == IceMask.floatingIce.rawValue }
    private func isOcean(_ row: Int, _ column: Int) -> Bool { code(row, column) == IceMask.ocean.rawValue }

    private func code(_ row: Int, _ column: Int) -> UInt8 {
        row >= 0 && row < rows && column >= 0 && column < columns ? codes[row * columns + column] : MaskField.unknown
    }
}
