import Fields

// A map as a PNG file, with title, axes and colour bar drawn into the pixels.
extension FieldMap {
    /// The picture with title, frame, scale bar and colour bar, at least 600 pixels wide or high.
    func labelledPicture(ice: IceMask) -> PNG {
        // Integer zoom factors, so that cells are equal blocks of pixels, longer along the axis of longer cells.
        let zoom = max(1, (600 + max(grid.width, grid.height) - 1) / max(grid.width, grid.height))
        let shape = grid.pixelHeight / grid.pixelWidth
        let zoomX = max(1, Int((Double(zoom) / min(1, shape)).rounded()))
        let zoomY = max(1, Int((Double(zoom) * max(1, shape)).rounded()))
        let (mapWidth, mapHeight) = (grid.width * zoomX, grid.height * zoomY)
        let text = 2
        let line = text * (BitmapFont.height + 3)
        let margin = 12
        let barWidth = max(mapWidth, 420)
        // Leaves room for the arrows at both ends.
        let barLeft = margin + 12
        let unit = unit.replacing("year", with: "yr")
        let heading = "\(title) [\(unit)]"
        let width = max(barWidth + 2 * barLeft, Canvas.length(of: heading, scale: text) + 2 * margin)
        let mapTop = margin + line
        let scaleBarTop = mapTop + mapHeight + 10
        let barTop = scaleBarTop + line + 4
        var canvas = Canvas(width: width, height: barTop + 18 + 2 * line + margin, palette: palette)

        canvas.write(heading, x: margin, y: margin, scale: text)
        let picture = pixels(ice: ice)
        for row in 0..<mapHeight {
            for column in 0..<mapWidth {
                canvas.set(barLeft + column, mapTop + row, picture[row / zoomY * grid.width + column / zoomX])
            }
        }
        canvas.frame(barLeft, mapTop, mapWidth, mapHeight)

        let length = AxisTicks.niceStep(Double(mapWidth) / 10 * grid.pixelWidth / Double(zoomX))
        let barLength = Int((length / grid.pixelWidth * Double(zoomX)).rounded())
        canvas.fill(barLeft, scaleBarTop + 6, barLength, 4)
        canvas.write(
            "\(NumberText.plain(length / 1000)) km", x: barLeft + barLength + 10, y: scaleBarTop, scale: text)

        let last = Double(FieldMap.colorCount - 1)
        for column in 0..<barWidth {
            let index = UInt8((last * Double(column) / Double(barWidth - 1)).rounded())
            for row in 0..<18 { canvas.set(barLeft + column, barTop + row, index) }
        }
        canvas.frame(barLeft, barTop, barWidth, 18)
        for column in 1..<10 {
            // Half the height of the arrow at this distance from the bar.
            let half = 9 - column
            for row in 9 - half..<9 + half {
                if scale.extends.below { canvas.set(barLeft - 1 - column, barTop + row, 0) }
                if scale.extends.above { canvas.set(barLeft + barWidth + column, barTop + row, UInt8(last)) }
            }
        }
        let ticks = scale.ticks
        for tick in ticks.marks {
            let x = barLeft + Int((scale.place(of: tick.value) * Double(barWidth - 1)).rounded())
            canvas.fill(x - 1, barTop + 18, 2, 6)
            let half = Canvas.length(of: tick.text, scale: text) / 2
            canvas.write(tick.text, x: x - half, y: barTop + 27, scale: text)
        }
        let factor = ticks.exponent == 0 ? "" : "1e\(ticks.exponent) "
        let label = factor + unit
        canvas.write(
            label, x: barLeft + (barWidth - Canvas.length(of: label, scale: text)) / 2, y: barTop + 27 + line,
            scale: text)
        return canvas.png
    }
}

/// A canvas of pixels in the map's palette, followed by black and white.
private struct Canvas {
    private(set) var png: PNG
    private let black: UInt8

    init(width: Int, height: Int, palette: [RGB]) {
        black = UInt8(palette.count)
        png = PNG(
            width: width, height: height, pixels: [UInt8](repeating: UInt8(palette.count + 1), count: width * height),
            palette: palette + [RGB(0, 0, 0), RGB(255, 255, 255)])
    }

    mutating func set(_ x: Int, _ y: Int, _ index: UInt8) {
        guard x >= 0, x < png.width, y >= 0, y < png.height else { return }
        png.pixels[y * png.width + x] = index
    }

    mutating func fill(_ x: Int, _ y: Int, _ width: Int, _ height: Int) {
        for row in y..<y + height { for column in x..<x + width { set(column, row, black) } }
    }

    /// Draws a line of one pixel around a rectangle.
    mutating func frame(_ x: Int, _ y: Int, _ width: Int, _ height: Int) {
        fill(x - 1, y - 1, width + 2, 1)
        fill(x - 1, y + height, width + 2, 1)
        fill(x - 1, y, 1, height)
        fill(x + width, y, 1, height)
    }

    mutating func write(_ text: String, x: Int, y: Int, scale: Int) {
        for (place, character) in text.replacing("−", with: "-").enumerated() {
            for (row, bits) in BitmapFont.rows(character).enumerated() {
                for column in 0..<BitmapFont.width where bits >> (BitmapFont.width - 1 - column) & 1 == 1 {
                    fill(
                        x + (place * BitmapFont.advance + column) * scale, y + row * scale, scale, scale)
                }
            }
        }
    }

    static func length(of text: String, scale: Int) -> Int { text.count * BitmapFont.advance * scale - scale }
}
