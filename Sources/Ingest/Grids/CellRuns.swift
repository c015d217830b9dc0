import Fields

/// Cells of a grid as runs along its rows: the inside of a polygon or a shelf, of any size, in little memory.
struct CellRuns {
    /// Columns by row; ascending and disjoint within a row.
    private(set) var columns: [[Range<Int>]]

    init(rows: Int) { columns = [[Range<Int>]](repeating: [], count: rows) }

    /// Appends a run to a row.
    mutating func append(_ run: Range<Int>, toRow row: Int) { columns[row].append(run) }

    /// Sets cells of a kind of ice outside the runs to `unknown`: they are not selected, and their border with the selected
    /// ones is no front. `codes` are row-major, `width` cells a row.
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
