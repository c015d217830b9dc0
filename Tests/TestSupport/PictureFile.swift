import CZlib
import Foundation

/// A strict PNG reader for the kind of file that we write: 8-bit palette, no interlace.
public struct PictureFile {
    public let width: Int
    public let height: Int
    /// (height, width), palette indices.
    public let pixels: [UInt8]
    /// Red, green and blue of every index.
    public let palette: [[UInt8]]
    /// Texts by keyword.
    public let texts: [String: String]

    /// Nil if anything violates the standard.
    public init?(_ file: [UInt8]) {
        guard file.starts(with: [137, 80, 78, 71, 13, 10, 26, 10]) else { return nil }
        func number(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }
        var place = 8
        var chunks: [(type: String, data: [UInt8])] = []
        while place < file.count {
            guard place + 12 <= file.count else { return nil }
            let length = number(file[place..<place + 4])
            guard place + 12 + length <= file.count else { return nil }
            let body = file[place + 4..<place + 8 + length]
            guard PictureFile.checksum(body) == number(file[place + 8 + length..<place + 12 + length]) else {
                return nil
            }
            chunks.append((String(decoding: body.prefix(4), as: UTF8.self), Array(body.dropFirst(4))))
            place += 12 + length
        }
        func data(_ type: String) -> [UInt8] { chunks.filter { $0.type == type }.flatMap(\.data) }
        let header = data("IHDR")
        guard chunks.first?.type == "IHDR", chunks.last?.type == "IEND", header.count == 13,
            Array(header[8...]) == [8, 3, 0, 0, 0]
        else { return nil }
        width = number(header[0..<4])
        height = number(header[4..<8])
        let colors = data("PLTE")
        palette = stride(from: 0, to: colors.count, by: 3).map { Array(colors[$0..<$0 + 3]) }
        var rows = [UInt8](repeating: 0, count: (width + 1) * height)
        var length = UInt(rows.count)
        let packed = data("IDAT")
        guard uncompress(&rows, &length, packed, UInt(packed.count)) == Z_OK, length == rows.count else { return nil }
        var pixels: [UInt8] = []
        for row in 0..<height {
            let line = rows[row * (width + 1)..<(row + 1) * (width + 1)]
            // Filter type none.
            guard line.first == 0 else { return nil }
            pixels += line.dropFirst()
        }
        let count = palette.count
        guard pixels.allSatisfy({ Int($0) < count }) else { return nil }
        self.pixels = pixels
        texts = Dictionary(
            chunks.filter { $0.type == "tEXt" }.map { chunk in
                let parts = chunk.data.split(separator: 0, maxSplits: 1)
                return (String(decoding: parts[0], as: UTF8.self), String(decoding: parts.last ?? [], as: UTF8.self))
            }, uniquingKeysWith: { $1 })
    }

    /// CRC-32 bit by bit (the standard's annex D).
    private static func checksum(_ bytes: ArraySlice<UInt8>) -> Int {
        var rest: UInt32 = .max
        for byte in bytes {
            rest ^= UInt32(byte)
            for _ in 0..<8 { rest = rest >> 1 ^ (rest & 1 == 1 ? 0xEDB8_8320 : 0) }
        }
        return Int(~rest)
    }
}
