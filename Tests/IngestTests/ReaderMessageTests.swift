import Fields
import Foundation
import Ingest
import MATLABFiles
import NetCDFFiles
import TestSupport
import Testing

/// What a spoilt reader may say: it is understood or refused, and nothing else.
@Suite struct ReaderMessageTests {
    /// The description of an array as a reader sends it.
    private static func outline() throws -> ArrayOutline {
        let folder = try TemporaryFolder()
        var file = SmallShelf.measures()
        file["VX"].type = .double
        file["VX"][attribute: "valid_range"] = .numbers([-1e4, .infinity, 0.1, .nan])
        file["VX"][attribute: "remark"] = .text("é\u{1}\"")
        try file.write(to: folder.file("velocity.nc"))
        return try ArrayOutline(of: try #require(try NetCDFFile(reading: folder.file("velocity.nc")).variable("VX")))
    }

    @Test func anArrayIsToldWithoutLoss() throws {
        let outline = try Self.outline()
        let bytes = try ReaderMessage.bytes(of: outline)
        let told = try ReaderMessage.message(ArrayOutline.self, from: bytes)
        #expect(told.isPossible && "\(told)" == "\(outline)" && "\(told)".contains("inf, 0.1, nan"))
    }

    @Test func aMessageOfAnyBytesIsUnderstoodOrRefused() throws {
        let whole = try ReaderMessage.bytes(of: try Self.outline())
        var numbers = SystemRandomNumberGenerator()
        var refused = 0
        for trial in 0..<20_000 {
            var bytes = trial < whole.count ? Data(whole.prefix(trial)) : whole
            for _ in 0..<3 where !bytes.isEmpty && trial % 2 == 1 {
                bytes[Int.random(in: bytes.indices, using: &numbers)] = UInt8.random(in: 0...255, using: &numbers)
            }
            let told = try? ReaderMessage.message(ArrayOutline.self, from: bytes)
            if told?.isPossible != true { refused += 1 }
        }
        #expect(refused >= whole.count)
    }

    @Test(arguments: ["\"length\":-1", "\"length\":4611686018427387904", "\"length\":4.5", "\"length\":[[[["])
    func anArrayThatNoFileHasIsRefused(_ length: String) throws {
        let whole = String(decoding: try ReaderMessage.bytes(of: try Self.outline()), as: UTF8.self)
        let bytes = Data(whole.replacing(/"length":\d+/, with: length).utf8)
        #expect((try? ReaderMessage.message(ArrayOutline.self, from: bytes))?.isPossible != true)
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
