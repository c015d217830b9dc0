import CKernels
import Fields
import Glibc

/// A column of a store on disk, read by runs of points. Every byte is checked each time that it is read, and what is handed
/// out is what was checked: a store that is overwritten under a running trainer is noticed at the next reading.
///
/// The store has one checksum for a block of 65,536 points, and a run of points seldom begins and ends with a block. So a
/// block is read whole when it is first touched, and the checksums of its pages (1024 points, 4096 bytes) are kept:
/// from then on a run reads and checks only the pages that it touches. Runs that fit the blocks read nothing twice in any
/// epoch, others nothing twice after the first. Memory: 1/1024 of the column.
struct CheckedColumn: Sendable {
    private let path: String
    private let variable: String
    /// Bytes of the column in the file, which begin with a page.
    private let bytes: Range<Int>
    private let blocks: [UInt32]
    private var pages: [UInt32]
    private var isKnown: [Bool]

    private static let blockBytes = StoreNames.pointsPerBlock * 4
    private static let pageBytes = 4096
    /// Room that a reading needs, for whoever lends it.
    static let bufferBytes = blockBytes

    init(path: String, variable: String, bytes: Range<Int>, blocks: [UInt32]) throws {
        // A number of checksums that does not fit is damage that only a forged seal would let pass.
        guard blocks.count == (bytes.count + CheckedColumn.blockBytes - 1) / CheckedColumn.blockBytes else {
            throw StoreError.damagedBlock(path: path, variable: variable, points: 0..<bytes.count / 4)
        }
        self.path = path
        self.variable = variable
        self.bytes = bytes
        self.blocks = blocks
        pages = [UInt32](
            repeating: 0, count: (bytes.count + CheckedColumn.pageBytes - 1) / CheckedColumn.pageBytes)
        isKnown = [Bool](repeating: false, count: blocks.count)
    }

    /// Reads a run of points from the open file; `buffer` is room for a block.
    mutating func read(
        _ points: Range<Int>, from handle: Int32, into values: inout [Float], buffer: inout [UInt8]
    ) throws {
        if values.count != points.count { values = [Float](repeating: 0, count: points.count) }
        let run = points.lowerBound * 4..<points.upperBound * 4
        try values.withUnsafeMutableBytes { target in
            var start = run.lowerBound
            while start < run.upperBound {
                let block = start / CheckedColumn.blockBytes
                let end = min(run.upperBound, (block + 1) * CheckedColumn.blockBytes)
                try buffer.withUnsafeMutableBytes { room in
                    let covered = try readChecked(start..<end, of: block, from: handle, into: room)
                    let part = room[start - covered.lowerBound..<end - covered.lowerBound]
                    UnsafeMutableRawBufferPointer(rebasing: target[(start - run.lowerBound)...]).copyMemory(
                        from: UnsafeRawBufferPointer(rebasing: part))
                }
                start = end
            }
        }
    }

    /// Fills the buffer with bytes of a block that hold the part, and tells which ones.
    private mutating func readChecked(
        _ part: Range<Int>, of block: Int, from handle: Int32, into room: UnsafeMutableRawBufferPointer
    ) throws -> Range<Int> {
        let unit = isKnown[block] ? CheckedColumn.pageBytes : CheckedColumn.blockBytes
        let covered =
            part.lowerBound / unit * unit..<min(bytes.count, (part.upperBound + unit - 1) / unit * unit)
        let found = UnsafeMutableRawBufferPointer(rebasing: room[..<covered.count])
        try readBytes(from: handle, at: bytes.lowerBound + covered.lowerBound, into: found)
        if !isKnown[block] {
            guard crc32c(0, found.baseAddress!, found.count) == blocks[block] else {
                throw StoreError.damagedBlock(path: path, variable: variable, points: points(covered))
            }
        }
        for start in stride(from: 0, to: covered.count, by: CheckedColumn.pageBytes) {
            let count = min(CheckedColumn.pageBytes, covered.count - start)
            let page = (covered.lowerBound + start) / CheckedColumn.pageBytes
            let checksum = crc32c(0, found.baseAddress! + start, count)
            guard isKnown[block] else {
                pages[page] = checksum
                continue
            }
            guard checksum == pages[page] else {
                let changed = covered.lowerBound + start..<covered.lowerBound + start + count
                throw StoreError.changedBlock(path: path, variable: variable, points: points(changed))
            }
        }
        isKnown[block] = true
        return covered
    }

    private func points(_ covered: Range<Int>) -> Range<Int> { covered.lowerBound / 4..<covered.upperBound / 4 }

    private func readBytes(from handle: Int32, at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws {
        var done = 0
        while done < buffer.count {
            let got = pread(handle, buffer.baseAddress! + done, buffer.count - done, off_t(offset + done))
            if got < 0 && errno == EINTR { continue }
            guard got > 0 else {
                let reason = got == 0 ? "the file ends here" : String(cString: strerror(errno))
                throw StoreError.readFailed(path: path, byte: offset + done, reason: reason)
            }
            done += got
        }
    }
}
