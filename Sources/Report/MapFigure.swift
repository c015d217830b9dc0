import Fields
import Foundation

extension FieldMap {
    /// Colours of a picture: 250 of the colour map, then those of covers without a value.
    static let colorCount = 250
    static let oceanColor = RGB(hex: 0xE4EEF5)
    static let landColor = RGB(hex: 0xCFC6B8)
    static let otherIceColor = RGB(hex: 0xD9D9D9)
    static let missingColor = RGB(hex: 0x8C8C8C)

    /// Names and colours of the covers, for the legend.
    static func legend(ice: IceMask) -> [(name: String, color: RGB)] {
        let other = IceMask.allCases.first { ($0 == .floatingIce || $0 == .groundedIce) && $0 != ice }
        return [
            ("ocean", oceanColor), ("land", landColor), ("\(other?.adjective ?? "other") ice", otherIceColor),
            ("no observation", missingColor),
        ]
    }

    var palette: [RGB] {
        (0..<FieldMap.colorCount).map { scale.colors[Double($0) / Double(FieldMap.colorCount - 1)] }
            + [FieldMap.oceanColor, FieldMap.landColor, FieldMap.otherIceColor, FieldMap.missingColor]
    }

    /// Palette indices (grid.height, grid.width).
    func pixels(ice: IceMask) -> [UInt8] {
        values.indices.map { pixel in
            let cover = grid.cover(of: pixel)
            if cover == ice.rawValue {
                let value = Double(values[pixel])
                guard value.isFinite else { return UInt8(FieldMap.colorCount + 3) }
                return UInt8((scale.place(of: value) * Double(FieldMap.colorCount - 1)).rounded())
            }
            switch IceMask(rawValue: cover) {
            case .ocean, nil: return UInt8(FieldMap.colorCount)
            case .iceFreeLand: return UInt8(FieldMap.colorCount + 1)
            case .groundedIce, .floatingIce: return UInt8(FieldMap.colorCount + 2)
            }
        }
    }

    /// The unit with the power of ten that its ticks leave out: "10¹⁴ Pa s".
    var tickUnit: String {
        let exponent = scale.ticks.exponent
        let unit = NumberText.unit(unit)
        return exponent == 0 ? unit : "\(NumberText.typeset("1e\(exponent)")) \(unit)"
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
            let x = left + (tick.value * 1000 - extent.xMin) / extentX * width
            drawing.line(x, top + height, x, top + height + 4)
            drawing.text(NumberText.typeset(tick.text), x, top + height + 15)
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
        let range = rangeText
        let notes =
            range + (scale.isLogarithmic ? "; colours by the logarithm" : "")
            + (isStretched ? "; stretched along y" : "")
            + (grid.step > 1
                ? "; every \(grid.step)\(NumberText.ordinalEnding(grid.step)) row and column of the grid" : "")
        return """
            <figure>
            <figcaption>\(escaped(title))</figcaption>
            <div class="map"><img class="\(grid.width < 400 ? "cells" : "")" alt="Map: \(escaped(title)). \(escaped(range))." width="\(grid.width)" height="\(grid.height)" style="\(place)" src="data:image/png;base64,\(data)">\(drawing.svg(height: bottom, description: nil))</div>
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
            let x = left + scale.place(of: tick.value) * width
            drawing.line(x, y + height, x, y + height + 4)
            drawing.text(NumberText.typeset(tick.text), x, y + height + 15)
        }
        drawing.text(tickUnit, left + width / 2, y + height + 29)
        return y + height + 34
    }
}
