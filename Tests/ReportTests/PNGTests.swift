import Report
import TestSupport
import Testing

@Suite struct PNGTests {
    @Test func everyPixelIsReadBack() throws {
        let palette = (0..<256).map { RGB(UInt8($0), UInt8(255 - $0), UInt8($0 ^ 85)) }
        for (width, height) in [(1, 1), (3, 5), (256, 256), (1021, 7)] {
            let pixels = (0..<width * height).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
            let file = PNG(width: width, height: height, pixels: pixels, palette: palette).encoded(title: "A title")
            let read = try #require(PictureFile(file))
            #expect(read.width == width && read.height == height && read.pixels == pixels)
            #expect(read.palette == palette.map { [$0.red, $0.green, $0.blue] })
            #expect(read.texts["Title"] == "A title")
        }
    }
}
