import Fields
import NetCDFFiles

/// One axis of a product's grid, in the order of most products, x ascending and y descending, whatever the order in the file:
/// everything downstream sees one orientation.
struct Axis {
    enum Direction: String { case x, y }

    let dimension: Dimension
    /// Cell centres [m], in our order; the file's bits where its unit is the metre.
    let values: [Double]
    /// Whether our order is the reverse of the file's.
    let isReversed: Bool
    /// The part inside the region, in our order.
    var range: Range<Int>

    var lowest: Double { min(values[0], values[values.count - 1]) }
    var highest: Double { max(values[0], values[values.count - 1]) }
    var spacing: Double { (highest - lowest) / Double(values.count - 1) }

    /// The start of a range of our indices, in the file's order.
    func fileStart(of range: Range<Int>) -> Int {
        isReversed ? values.count - range.upperBound : range.lowerBound
    }

    /// Far more than any product; a damaged header may claim more.
    private static let maxCells = 1_000_000

    static func requireLength(_ length: Int, of name: String, path: String) throws {
        guard length >= 2, length <= maxCells else {
            throw PlainFailure.badCoordinate(name, path: path, "has \(length) values, expected 2 to \(maxCells)")
        }
    }

    init(_ direction: Direction, _ line: CoordinateLine) throws {
        let values = line.values
        guard values.allSatisfy(\.isFinite), values.allSatisfy({ abs($0) < 1e20 }) else {
            throw PlainFailure.badCoordinate(line.name, path: line.path, "has values that are not finite")
        }
        try Axis.checkSpacing(line)
        dimension = line.dimension
        isReversed = (values[0] < values[1]) == (direction == .y)
        self.values = isReversed ? values.reversed() : values
        range = 0..<values.count
    }

    /// Re-exported axes in single precision are uneven by their rounding, 0.25 m at 3000 km.
    private static func checkSpacing(_ line: CoordinateLine) throws {
        let values = line.values
        let step = (values[values.count - 1] - values[0]) / Double(values.count - 1)
        guard step != 0 else {
            throw PlainFailure.badCoordinate(
                line.name, path: line.path, "begins and ends with the same value, \(values[0])")
        }
        let largest = values.reduce(0) { max($0, abs($1)) }
        let tolerance = 0.01 * abs(step) + (line.isFloat ? 2 * largest * Double(Float.ulpOfOne) : 0)
        for index in 1..<values.count {
            let here = values[index] - values[index - 1]
            let deviation = abs(values[index] - values[0] - Double(index) * step)
            guard here * step > 0, deviation <= tolerance else {
                let steps = zip(values.dropFirst(), values).map { $0 - $1 }
                let usual = steps.median ?? step
                let worst = steps.indices.max { abs(steps[$0] - usual) < abs(steps[$1] - usual) } ?? index - 1
                throw PlainFailure(
                    "\(line.path): coordinate \(quoted(line.name)) is not evenly spaced: the step at index \(worst + 1) is \(steps[worst]) m, others are \(usual) m; regrid the file to even spacing"
                )
            }
        }
    }
}
