import Fields
import Foundation

/// Text escaped for HTML and SVG, also in attributes; control characters, which HTML forbids, become spaces.
func escaped(_ text: String) -> String {
    var safe = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "&": safe += "&amp;"
        case "<": safe += "&lt;"
        case ">": safe += "&gt;"
        case "\"": safe += "&quot;"
        case "\n": safe += "\n"
        default: safe.unicodeScalars.append(scalar.properties.generalCategory == .control ? " " : scalar)
        }
    }
    return safe
}

/// An inline SVG picture whose coordinate system is 380 wide: on a phone a unit is about a pixel.
struct Drawing {
    static let width = 380.0

    private var body = ""

    mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String = "stroke=\"#1a1a1a\"") {
        body += "<line x1=\"\(at(x1))\" y1=\"\(at(y1))\" x2=\"\(at(x2))\" y2=\"\(at(y2))\" \(style)/>"
    }

    mutating func rectangle(_ x: Double, _ y: Double, _ width: Double, _ height: Double, _ style: String) {
        body += "<rect x=\"\(at(x))\" y=\"\(at(y))\" width=\"\(at(width))\" height=\"\(at(height))\" \(style)/>"
    }

    mutating func polygon(_ points: [(Double, Double)], fill: String) {
        body += "<polygon points=\"\(list(points))\" fill=\"\(fill)\" stroke=\"#1a1a1a\"/>"
    }

    mutating func polyline(_ points: [(Double, Double)], _ style: String) {
        body += "<polyline points=\"\(list(points))\" fill=\"none\" \(style)/>"
    }

    /// Draws text whose baseline is at y and whose start, middle or end (`anchor`) is at x.
    mutating func text(_ text: String, _ x: Double, _ y: Double, anchor: String = "middle") {
        body += "<text x=\"\(at(x))\" y=\"\(at(y))\" text-anchor=\"\(anchor)\">\(escaped(text))</text>"
    }

    /// Draws a tick below an axis, and its label.
    mutating func tick(_ label: String, _ x: Double, _ y: Double, distance: Double = 15) {
        line(x, y, x, y + 4)
        text(NumberText.typeset(label), x, y + distance)
    }

    /// Draws a horizontal colour gradient with a frame.
    mutating func gradient(_ colors: [RGB], id: String, _ x: Double, _ y: Double, _ width: Double, _ height: Double) {
        let stops = colors.enumerated().map { number, color in
            "<stop offset=\"\(at(100 * Double(number) / Double(colors.count - 1)))%\" stop-color=\"\(color.css)\"/>"
        }
        body += "<defs><linearGradient id=\"\(id)\">\(stops.joined())</linearGradient></defs>"
        rectangle(x, y, width, height, "fill=\"url(#\(id))\" stroke=\"#1a1a1a\"")
    }

    /// The picture as an SVG element. `description` is its alternative text; nil where an adjacent image has it.
    func svg(height: Double, description: String?) -> String {
        let label = description.map { "role=\"img\" aria-label=\"\(escaped($0))\"" } ?? "aria-hidden=\"true\""
        return "<svg viewBox=\"0 0 \(at(Drawing.width)) \(at(height))\" \(label)>\(body)</svg>"
    }

    private func list(_ points: [(Double, Double)]) -> String {
        points.map { "\(at($0)),\(at($1))" }.joined(separator: " ")
    }

    private func at(_ value: Double) -> String {
        let tenths = (value * 10).rounded() / 10
        return tenths == tenths.rounded() ? String(Int(tenths)) : String(format: "%.1f", tenths)
    }
}
