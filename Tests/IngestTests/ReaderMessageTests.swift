import Fields
import Foundation
import Ingest
import MATLABFiles
import NetCDFFiles
import TestSupport
import Testing

/// What a spoilt reader may say: it is understood or refused, and nothing else.
@Suite struct ReaderMessageTests {
    private let outline = ArrayOutline(
        name: "VX é", type: .float,
        dimensions: [Dimension(id: 3, name: "y", length: 12445), Dimension(id: 4, name: "x", length: 12445)],
        chunkLengths: [256, 256],
        attributes: AttributeOutline(["units", "valid_range", "none"]) { name in
            ["units": .text("meter/year"), "valid_range": .numbers([-1e4, .infinity, 0.1])][name]
        })

    @Test func anArrayIsToldWithoutLoss() throws {
        var message = ReaderMessage()
        outline.put(into: &message)
        #expect(try ArrayOutline(from: &message) == outline)
    }

    @Test func aMessageOfAnyBytesIsUnderstoodOrRefused() throws {
        var whole = ReaderMessage()
        outline.put(into: &whole)
        var numbers = SystemRandomNumberGenerator()
        var refused = 0
        for trial in 0..<20_000 {
            var bytes = whole.bytes
            if trial < bytes.count { bytes.removeLast(bytes.count - trial) }
            for _ in 0..<3 where !bytes.isEmpty && trial % 2 == 1 {
                bytes[Int.random(in: bytes.indices, using: &numbers)] = UInt8.random(in: 0...255, using: &numbers)
            }
            var message = ReaderMessage(bytes: bytes)
            if (try? ArrayOutline(from: &message)) == nil { refused += 1 }
        }
        #expect(refused >= whole.bytes.count)
    }

    @Test func aShapeThatNoFileHasIsNone() {
        #expect(numberOfCells([3, 4]) == 12 && numberOfCells([]) == 1 && numberOfCells([0, Int.max]) == 0)
        #expect(numberOfCells([1 << 32, 1 << 32]) == nil && numberOfCells([-1]) == nil)
    }

    /// Zeros that take no room on the disk.
    @Test(.enabled(if: Places.runsLongTests, "set PINN_LONG_TESTS=1 to run"))
    func anArrayOfAMATLABFileOverAGigabyteIsRead() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("large.mat")
        let (rows, columns) = (UInt32(15_000), UInt32(10_000))
        let bytes = 8 * rows * columns
        func words(_ numbers: [UInt32]) -> [UInt8] {
            numbers.flatMap { number in (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
        }
        let body =
            words([6, 8, 6, 0, 5, 8, rows, columns, 1, 1]) + Array("h\0\0\0\0\0\0\0".utf8) + words([9, bytes])
        let text = "MATLAB 5.0 MAT-file"
        let header =
            Array(text.utf8) + [UInt8](repeating: 32, count: 116 - text.count) + [UInt8](repeating: 0, count: 8)
            + [0, 1] + Array("IM".utf8)
        try Data(header + words([14, UInt32(body.count) + bytes]) + body).write(to: URL(fileURLWithPath: path))
        try #require(truncate(path, off_t(header.count + 8 + body.count + Int(bytes))) == 0)
        let array = try #require(try MATLABFile(reading: path).arraysOfFile.first)
        var values = [Double](repeating: .nan, count: 20)
        try values.withUnsafeMutableBufferPointer { try array.read(start: [9_998, 14_990], count: [2, 10], into: $0) }
        #expect(array.name == "h" && values == [Double](repeating: 0, count: 20))
    }
}
