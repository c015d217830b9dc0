import Fields

/// Cells of a grid as runs along its rows: the inside of a polygon or a shelf, of any size, in little memory.
struct CellRuns {
    /// Columns by row.
    private var columns: [RangeSet<Int>]

    init(rows: Int) { columns = [RangeSet<Int>](repeating: RangeSet(), count: rows) }

    /// Runs may overlap.
    mutating func insert(_ run: Range<Int>, row: Int) { columns[row].insert(contentsOf: run) }

    /// Sets cells of a kind of ice outside the runs to `unknown`: they are not selected, and their border with the selected
    /// ones is no front. `codes` are row-major, `width` cells a row.
    func restrict(_ codes: inout [UInt8], width: Int, ice: IceMask) {
        for (row, runs) in columns.enumerated() {
            for run in RangeSet(0..<width).subtracting(runs).ranges {
                for cell in row * width + run.lowerBound..<row * width + run.upperBound
                where codes[cell] == ice.rawValue {
                    codes[cell] = MaskField.unknown
                }
            }
        }
    }
}
