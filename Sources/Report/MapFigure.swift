import Fields
import Foundation

extension FieldMap {
    /// Colours of a picture: 250 of the colour map, then those of covers without a value.
    static let colorCount = 250
    /// Ocean, land, other ice, and ice without an observation.
    private static let coverColors = [0xE4EEF5, 0xCFC6B8, 0xD9D9D9, 0x8C8C8C].map { RGB(hex: $0) }

    /// Names and colours of the covers, for the legend.
    static func legend(ice: IceMask) -> [(name: String, color: RGB)] {
        let other: IceMask = ice == .floatingIce ? .groundedIce : .floatingIce
        return Array(zip(["ocean", "land", "\(other.adjective) ice", "no observation"], coverColors))
    }

    var palette: [RGB] {
        (0..<FieldMap.colorCount).map { scale.colors[Double($0) / Double(FieldMap.colorCount - 1)] }
            + FieldMap.coverColors
    }

    /// Palette indices (grid.height, grid.width).
    func pixels(ice: IceMask) -> [UInt8] {
        values.indices.map { pixel in
            let value = Double(values[pixel])
            let cover = IceMask(rawValue: grid.cover(of: pixel)) ?? .ocean
            if cover == ice, value.isFinite {
                return UInt8((scale.place(of: value) * Double(FieldMap.colorCount - 1)).rounded())
            }
            // Both kinds of ice, of which one is drawn, share a colour.
            return UInt8(FieldMap.colorCount + (cover == ice ? 3 : min(2, Int(cover.rawValue))))
        }
    }

    /// "From 0.5 to 1210 m yr⁻¹": the range of this map, not of all that share its scale.
    var rangeText: String {
        let finite = values.lazy.filter(\.isFinite)
        let (smallest, largest) = (Double(finite.min() ?? .nan), Double(finite.max() ?? .nan))
        return "From \(NumberText.typeset(smallest)) to \(NumberText.typeset(largest)) \(NumberText.unit(unit))"
    }

    /// The map with axes, scale bar and colour bar, as HTML.
    func figure(ice: IceMask) -> String {
        let extent = grid.extent
        let (extentX, extentY) = (extent.xMax - extent.xMin, extent.yMax - extent.yMin)
        // Limits the height of a long shelf to the page, and keeps a narrow one visible.
        let (left, top, maxWidth) = (46.0, 6.0, Drawing.width - 46 - 12)
        var width = maxWidth
        var height = width * extentY / extentX
        if height > 460 { (width, height) = (460 * extentX / extentY, 460) }
        let isStretched = height < 30
        height = max(height, 30)
        width = max(width, 100)

        var drawing = Drawing()
        drawing.rectangle(left, top, width, height, "fill=\"none\" stroke=\"#1a1a1a\"")
        for tick in AxisTicks.linear(extent.xMin / 1000, extent.xMax / 1000, maxCount: width > 200 ? 6 : 3).marks {
            drawing.tick(tick.text, left + (tick.value * 1000 - extent.xMin) / extentX * width, top + height)
        }
        for tick in AxisTicks.linear(extent.yMin / 1000, extent.yMax / 1000, maxCount: height > 200 ? 7 : 4).marks {
            let y = top + (extent.yMax - tick.value * 1000) / extentY * height
            drawing.line(left - 4, y, left, y)
            drawing.text(NumberText.typeset(tick.text), left - 7, y + 4, anchor: "end")
        }
        // The scale bar takes at most a quarter of the width, outside the map.
        let length = AxisTicks.niceStep(extentX / 10)
        let barLength = length / extentX * width
        let barY = top + height + 32
        drawing.line(left, barY, left + barLength, barY, "stroke=\"#1a1a1a\" stroke-width=\"3\"")
        drawing.text("\(NumberText.plain(length / 1000)) km", left + barLength + 6, barY + 4, anchor: "start")
        drawing.text("x and y in km", Drawing.width - 12, barY + 4, anchor: "end")
        let bottom = colorBar(&drawing, left: left, width: maxWidth, y: barY + 14)

        func share(_ value: Double, _ whole: Double) -> String { String(format: "%.4f%%", 100 * value / whole) }
        let png = PNG(width: grid.width, height: grid.height, pixels: pixels(ice: ice), palette: palette)
        let data = Data(png.encoded(title: title)).base64EncodedString()
        let place =
            "left:\(share(left, Drawing.width));top:\(share(top, bottom));width:\(share(width, Drawing.width));height:\(share(height, bottom))"
        let notes =
            rangeText + (scale.isLogarithmic ? "; colours by the logarithm" : "")
            + (isStretched ? "; stretched along y" : "")
            + (grid.step > 1
                ? "; every \(grid.step)\(NumberText.ordinalEnding(grid.step)) row and column of the grid" : "")
        return """
            <figure>
            <figcaption>\(escaped(title))</figcaption>
            <div class="map"><img class="\(grid.width < 400 ? "cells" : "")" alt="Map: \(escaped(title)). \(escaped(rangeText))." width="\(grid.width)" height="\(grid.height)" style="\(place)" src="data:image/png;base64,\(data)">\(drawing.svg(height: bottom, description: nil))</div>
            <p>\(escaped(notes)).</p>
            </figure>
            """
    }

    /// Draws the colour bar and returns the y coordinate of its lower end.
    private func colorBar(_ drawing: inout Drawing, left: Double, width: Double, y: Double) -> Double {
        let height = 11.0
        drawing.gradient(
            (0...32).map { scale.colors[Double($0) / 32] }, id: "bar-\(name)", left, y, width, height)
        // Arrows mark values beyond the limits.
        if scale.extends.below {
            drawing.polygon([(left, y), (left - 9, y + height / 2), (left, y + height)], fill: scale.colors[0].css)
        }
        if scale.extends.above {
            let right = left + width
            drawing.polygon([(right, y), (right + 9, y + height / 2), (right, y + height)], fill: scale.colors[1].css)
        }
        for tick in scale.ticks.marks {
            drawing.tick(tick.text, left + scale.place(of: tick.value) * width, y + height)
        }
        drawing.text(scale.ticks.unit(unit), left + width / 2, y + height + 29)
        return y + height + 34
    }
}
