import CKernels

/// Where a column lies in its file.
struct StoredColumn: Sendable {
    let variable: String
    /// Bytes of the file; they begin with a page.
    let bytes: Range<Int>

    static let blockBytes = StoreNames.pointsPerBlock * 4
    static let pageBytes = 4096

    /// Throws where a page of the window does not have its checksum.
    ///
    /// - Parameters:
    ///   - part: bytes of the column, from the beginning of a page.
    ///   - checksums: of its pages.
    func requirePages(_ part: Range<Int>, of window: FileWindow, have checksums: ArraySlice<UInt32>) throws {
        for (start, checksum) in zip(stride(from: part.lowerBound, to: part.upperBound, by: Self.pageBytes), checksums)
        {
            let page = start..<min(start + Self.pageBytes, part.upperBound)
            guard self.checksum(page, of: window) != checksum else { continue }
            try window.requireReadable()
            throw StoreError.changedBlock(path: window.file.path, variable: variable, points: points(page))
        }
    }

    func checksum(_ part: Range<Int>, of window: FileWindow) -> UInt32 {
        crc32c(
            0, window.bytes.baseAddress! + (bytes.lowerBound + part.lowerBound - window.range.lowerBound), part.count)
    }

    func points(_ part: Range<Int>) -> Range<Int> { part.lowerBound / 4..<part.upperBound / 4 }
}

/// A column of a store, loaded by runs of points, of which every byte is checked each time.
///
/// The store has one checksum for a block of 65,536 points, and a run of points seldom begins and ends with a block. So a
/// block is loaded whole when it is first touched, and the checksums of its pages (1024 points, 4096 bytes) are kept:
/// from then on a run loads and checks only the pages that it touches. Runs that fit the blocks load nothing twice in any
/// epoch, others nothing twice after the first. Memory: 1/1024 of the column.
struct CheckedColumn: Sendable {
    private let column: StoredColumn
    private let blocks: [UInt32]
    private var pages: [UInt32]
    /// Blocks whose pages have checksums.
    private var isKnown: [Bool]

    init(path: String, variable: String, bytes: Range<Int>, blocks: [UInt32]) throws {
        // A wrong number of checksums is damage that only a forged integrity trailer lets pass.
        guard blocks.count == (bytes.count + StoredColumn.blockBytes - 1) / StoredColumn.blockBytes else {
            throw StoreError.damagedBlock(path: path, variable: variable, points: 0..<bytes.count / 4)
        }
        column = StoredColumn(variable: variable, bytes: bytes)
        self.blocks = blocks
        pages = [UInt32](
            repeating: 0, count: (bytes.count + StoredColumn.pageBytes - 1) / StoredColumn.pageBytes)
        isKnown = [Bool](repeating: false, count: blocks.count)
    }

    /// A window with everything that checking a run of points takes; it is not checked yet.
    func window(_ points: Range<Int>, of file: StoreFile) throws -> FileWindow {
        let run = points.lowerBound * 4..<points.upperBound * 4
        let first = unit(at: run.lowerBound)
        let last = unit(at: run.upperBound - 1)
        let start = run.lowerBound / first * first
        let end = min((run.upperBound + last - 1) / last * last, column.bytes.count)
        return try file.window(column.bytes.lowerBound + start..<column.bytes.lowerBound + end)
    }

    /// Bytes that are checked at a time.
    private func unit(at byte: Int) -> Int {
        isKnown[byte / StoredColumn.blockBytes] ? StoredColumn.pageBytes : StoredColumn.blockBytes
    }

    /// Checks the window of a run of points.
    mutating func check(_ window: FileWindow, _ points: Range<Int>) throws -> ColumnWindow {
        let begin = column.bytes.lowerBound
        let loaded = window.range.lowerBound - begin..<window.range.upperBound - begin
        for block in loaded.lowerBound / StoredColumn.blockBytes...(loaded.upperBound - 1) / StoredColumn.blockBytes {
            let start = block * StoredColumn.blockBytes
            let part = (start..<start + StoredColumn.blockBytes).clamped(to: loaded)
            if isKnown[block] {
                try column.requirePages(part, of: window, have: pages[(part.lowerBound / StoredColumn.pageBytes)...])
            } else {
                try learn(part, block, window)
            }
        }
        if window.hasFault { try window.requireReadable() }
        let run = points.lowerBound * 4..<points.upperBound * 4
        if loaded.count > 2 * StoredColumn.pageBytes + run.count {
            window.drop(allBut: run.lowerBound - loaded.lowerBound..<run.upperBound - loaded.lowerBound)
        }
        let firstPage = run.lowerBound / StoredColumn.pageBytes
        let lastPage = (run.upperBound - 1) / StoredColumn.pageBytes
        return ColumnWindow(window, column, run, checksums: Array(pages[firstPage...lastPage]))
    }

    /// Checks a whole block, and keeps the checksums of its pages.
    private mutating func learn(_ bytes: Range<Int>, _ block: Int, _ window: FileWindow) throws {
        guard column.checksum(bytes, of: window) == blocks[block] else {
            try window.requireReadable()
            throw StoreError.damagedBlock(
                path: window.file.path, variable: column.variable, points: column.points(bytes))
        }
        for start in stride(from: bytes.lowerBound, to: bytes.upperBound, by: StoredColumn.pageBytes) {
            let page = start..<min(start + StoredColumn.pageBytes, bytes.upperBound)
            pages[start / StoredColumn.pageBytes] = column.checksum(page, of: window)
        }
        isKnown[block] = true
    }
}
