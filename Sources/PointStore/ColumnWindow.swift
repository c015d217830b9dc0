import Fields

/// The checked values of a run of points of one column.
struct ColumnWindow: Sendable {
    let values: FloatColumn
    /// What can change under a mapped window; nil: the values are a copy.
    private let mapped: (window: FileWindow, column: StoredColumn, pages: Range<Int>, checksums: [UInt32])?

    /// - Parameters:
    ///   - run: bytes of the column.
    ///   - checksums: of the pages that hold it.
    init(_ window: FileWindow, _ column: StoredColumn, _ run: Range<Int>, checksums: [UInt32]) {
        let start = column.bytes.lowerBound + run.lowerBound - window.range.lowerBound
        let floats = UnsafeRawBufferPointer(rebasing: window.bytes[start..<start + run.count]).assumingMemoryBound(
            to: Float.self)
        if window.isMapped {
            let firstPage = run.lowerBound / StoredColumn.pageBytes * StoredColumn.pageBytes
            let end = min(firstPage + checksums.count * StoredColumn.pageBytes, column.bytes.count)
            values = FloatColumn(floats, owner: window)
            mapped = (window, column, firstPage..<end, checksums)
        } else {
            values = FloatColumn(Array(floats))
            mapped = nil
        }
    }

    /// Throws where the values are, or may have been while they were used, others than those that were checked.
    func requireIntact() throws {
        guard let mapped else { return }
        try mapped.column.requirePages(mapped.pages, of: mapped.window, have: mapped.checksums[...])
        if mapped.window.hasFault { try mapped.window.requireReadable() }
    }
}
