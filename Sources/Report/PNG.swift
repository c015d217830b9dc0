import CZlib
import Fields

/// A picture of 8-bit palette indices as a PNG file (ISO/IEC 15948:2004).
public struct PNG {
    /// What marks a picture as one of ours: the beginning of its "Software" text.
    static let software = "IceShelfPINN"

    public let width: Int
    public let height: Int
    /// (height, width), row-major, from the top.
    public var pixels: [UInt8]
    /// At most 256 colours, as many as the largest index needs.
    public let palette: [RGB]

    public init(width: Int, height: Int, pixels: [UInt8], palette: [RGB]) {
        precondition(pixels.count == width * height && width > 0 && height > 0 && (1...256).contains(palette.count))
        self.width = width
        self.height = height
        self.pixels = pixels
        self.palette = palette
    }

    /// - Parameter title: kept in the file as text, ISO 8859-1.
    public func encoded(title: String) -> [UInt8] {
        var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        func big(_ value: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } }
        func append(_ type: String, _ data: [UInt8]) {
            let body = Array(type.utf8) + data
            file += big(data.count) + body + big(Int(crc32(0, body, UInt32(body.count))))
        }
        // Eight bits, indexed colour, deflate, filter method 0, not interlaced.
        append("IHDR", big(width) + big(height) + [8, 3, 0, 0, 0])
        for (keyword, text) in [("Software", Version.text), ("Title", title)] {
            let latin = text.unicodeScalars.map { $0.value < 256 ? UInt8($0.value) : UInt8(ascii: "?") }
            append("tEXt", Array(keyword.utf8) + [0] + latin)
        }
        append("PLTE", palette.flatMap { [$0.red, $0.green, $0.blue] })
        // Every row begins with its filter type: none, as the standard recommends for palette indices.
        var rows: [UInt8] = []
        rows.reserveCapacity((width + 1) * height)
        for row in 0..<height { rows += [0] + pixels[row * width..<(row + 1) * width] }
        append("IDAT", deflated(rows))
        append("IEND", [])
        return file
    }

    private func deflated(_ bytes: [UInt8]) -> [UInt8] {
        var length = compressBound(UInt(bytes.count))
        var packed = [UInt8](repeating: 0, count: Int(length))
        // With a buffer of compressBound, only zlib's own allocation of 256 KB can fail.
        precondition(compress2(&packed, &length, bytes, UInt(bytes.count), Z_BEST_COMPRESSION) == Z_OK)
        return Array(packed.prefix(Int(length)))
    }
}
