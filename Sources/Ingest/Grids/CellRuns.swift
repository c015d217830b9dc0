import Fields

/// Cells of a grid as runs along its rows: the inside of a polygon, or a shelf, of any size in little memory.
struct CellRuns {
    /// Columns by row; within a row ascending, and apart from each other.
    private(set) var columns: [[Range<Int>]]

    init(rows: Int) { columns = [[Range<Int>]](repeating: [], count: rows) }

    /// Adds a run behind those that the row has.
    mutating func append(_ run: Range<Int>, toRow row: Int) { columns[row].append(run) }

    /// Cells of a kind of ice outside of the runs become `unknown`: they are not asked for, and where they border on those
    /// that are there is no front. `codes` are row-major, `width` a row.
    func restrict(_ codes: inout [UInt8], width: Int, ice: IceMask) {
        for (row, runs) in columns.enumerated() {
            var column = 0
            for run in runs + [width..<width] {
                for cell in row * width + column..<row * width + run.lowerBound where codes[cell] == ice.rawValue {
                    codes[cell] = MaskField.unknown
                }
                column = run.upperBound
            }
        }
    }
}
