import Fields
import Foundation
import Runs

/// Line colours that are distinguishable with colour-vision deficiency (Okabe & Ito 2008), black for the main curve.
private let lineColors = ["#1a1a1a", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]

/// Curves over the iterations with a logarithmic axis.
struct HistoryChart {
    struct Curve {
        let name: String
        /// One value per iteration, from 0.
        let values: [Double]
    }

    let title: String
    /// Alternative text for screen readers.
    let description: String
    let curves: [Curve]
    /// Iterations at which a phase begins, and its name.
    var marks: [(iteration: Int, name: String)] = []
    /// Whether curves share one colour and have no legend.
    var isBundle = false
    var note = ""

    /// Points of a drawn curve, about one per pixel.
    private static let buckets = 300

    var figure: String {
        let positive = curves.flatMap(\.values).filter { $0 > 0 && $0.isFinite }
        guard let minimum = positive.min(), let largest = positive.max() else { return "" }
        let count = curves.map(\.values.count).max() ?? 0
        let (low, high) = largest > 1.5 * minimum ? (minimum, largest) : (minimum / 2, largest * 2)
        let (left, top, width, height) = (52.0, 18.0, Drawing.width - 52 - 12, 210.0)
        func x(_ iteration: Int) -> Double { left + width * Double(iteration) / Double(max(count - 1, 1)) }
        func y(_ value: Double) -> Double {
            top + height * (1 - log(min(high, max(low, value)) / low) / log(high / low))
        }
        var drawing = Drawing()
        for tick in AxisTicks.logarithmic(low, high, takesExponent: false).marks {
            drawing.line(left, y(tick.value), left + width, y(tick.value), "stroke=\"#e2e2e2\"")
            drawing.text(NumberText.typeset(tick.text), left - 6, y(tick.value) + 4, anchor: "end")
        }
        for tick in AxisTicks.linear(0, Double(max(count - 1, 1)), maxCount: 4).marks
        where tick.value == tick.value.rounded() {
            let iteration = Int(tick.value)
            drawing.tick(NumberText.count(iteration), x(iteration), top + height)
        }
        drawing.text("iterations", left + width / 2, top + height + 29)
        for mark in marks where mark.iteration < count {
            drawing.line(
                x(mark.iteration), top, x(mark.iteration), top + height, "stroke=\"#767676\" stroke-dasharray=\"3 3\"")
            let isRight = x(mark.iteration) > left + 0.8 * width
            drawing.text(mark.name, x(mark.iteration) + (isRight ? -2 : 2), top - 5, anchor: isRight ? "end" : "start")
        }
        // Drawn last, the first curve lies on top.
        for (number, curve) in curves.enumerated().reversed() {
            let color = isBundle ? lineColors[1] : lineColors[number % lineColors.count]
            let points = HistoryChart.thinned(curve.values).map { (x($0.iteration), y($0.value)) }
            // A run of one iteration is drawn as a dot.
            drawing.polyline(
                points.count == 1 ? points + points : points,
                "stroke-linecap=\"round\" stroke=\"\(color)\" stroke-width=\"\(number == 0 && !isBundle ? 1.6 : 1.1)\" stroke-linejoin=\"round\""
            )
        }
        drawing.rectangle(left, top, width, height, "fill=\"none\" stroke=\"#1a1a1a\"")
        var bottom = top + height + 36
        if !isBundle, curves.count > 1 {
            for (number, curve) in curves.enumerated() {
                let (column, row) = (Double(number % 2), Double(number / 2))
                let (keyX, keyY) = (left + column * width / 2, bottom + 12 + 16 * row)
                let color = lineColors[number % lineColors.count]
                drawing.line(keyX, keyY - 4, keyX + 18, keyY - 4, "stroke=\"\(color)\" stroke-width=\"2.5\"")
                drawing.text(curve.name, keyX + 24, keyY, anchor: "start")
            }
            bottom += 16 * Double((curves.count + 1) / 2) + 4
        }
        return """
            <figure>
            <figcaption>\(escaped(title))</figcaption>
            \(drawing.svg(height: bottom, description: description))
            \(note.isEmpty ? "" : "<p>\(escaped(note))</p>")
            </figure>
            """
    }

    /// Minimum and maximum of every group of iterations, which a line through all values would cover.
    private static func thinned(_ values: [Double]) -> [(iteration: Int, value: Double)] {
        let group = max(1, (values.count + buckets - 1) / buckets)
        return stride(from: 0, to: values.count, by: group).flatMap { first -> [(iteration: Int, value: Double)] in
            let some = (first..<min(first + group, values.count)).filter { values[$0].isFinite }
            guard let minimum = some.min(by: { values[$0] < values[$1] }),
                let largest = some.max(by: { values[$0] < values[$1] })
            else { return [] }
            let ends = minimum == largest ? [minimum] : [minimum, largest].sorted()
            return ends.map { ($0, values[$0]) }
        }
    }
}

/// Histogram of misfits, centred on zero.
struct HistogramChart {
    let sample: MisfitSample

    var figure: String {
        // Shows all of a normal distribution, and the visible part of heavy tails.
        let sizes = sample.quantiles([0.5, 0.95, 0.99])
        let reach = max(sizes[2] * 1.2, .leastNormalMagnitude)
        let bins = 61
        let (counts, beyond) = sample.histogram(reach: reach, bins: bins)
        let largestCount = Double(max(counts.max() ?? 1, 1))
        let (left, top, width, height) = (14.0, 8.0, Drawing.width - 14 - 14, 130.0)
        var drawing = Drawing()
        for (bin, count) in counts.enumerated() where count > 0 {
            let size = height * Double(count) / largestCount
            drawing.rectangle(
                left + width * Double(bin) / Double(bins), top + height - size, width / Double(bins) - 0.7, size,
                "fill=\"#3B6FA0\"")
        }
        let ticks = AxisTicks.linear(-reach, reach, maxCount: 7)
        for tick in ticks.marks {
            let x = left + width * (tick.value + reach) / (2 * reach)
            drawing.tick(tick.text, x, top + height, distance: 16)
        }
        drawing.line(left, top + height, left + width, top + height)
        drawing.line(
            left + width / 2, top, left + width / 2, top + height, "stroke=\"#1a1a1a\" stroke-dasharray=\"2 3\"")
        let unit = NumberText.unit(sample.column.unit)
        drawing.text("predicted − observed [\(ticks.unit(sample.column.unit))]", left + width / 2, top + height + 32)
        func figure(_ value: Double) -> String { "\(NumberText.typeset(value)) \(unit)" }
        let facts =
            "Root mean square \(figure(sample.rootMeanSquare)), mean \(figure(sample.mean)), half within \(figure(sizes[0])), 95 % within \(figure(sizes[1]))"
        let whole =
            sample.misfits.count < sample.total
            ? "a random sample of \(NumberText.count(sample.misfits.count)) of \(NumberText.count(sample.total)) observations"
            : "all \(NumberText.count(sample.total)) observations"
        let tail = beyond > 0 ? ", \(NumberText.count(beyond)) of them outside the axis" : ""
        return """
            <figure>
            <figcaption>Misfit of the \(sample.name)</figcaption>
            \(drawing.svg(height: top + height + 38, description: "Histogram of the misfit of the \(sample.name). \(facts)."))
            <p>\(escaped(facts)); \(escaped(whole + tail)).</p>
            </figure>
            """
    }
}
