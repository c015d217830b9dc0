/// Fourth differences of neighbours in a row of a grid, (1, −4, 6, −4, 1)/√70: they keep the variance of errors that are independent
/// from cell to cell and remove almost all of a smooth signal (difference-based estimators: Hall, Kay & Titterington 1990,
/// doi:10.1093/biomet/77.3.521). Errors that neighbours share do not show.
package struct FourthDifferences: Sendable {
    /// Places of the values in the middle of five neighbours.
    package let middles: [Int]

    /// - Parameters:
    ///   - cells: row-major, ascending; of each value.
    ///   - columns: cells in a row of the grid.
    ///   - atMost: about so many differences.
    package init(at cells: [Int32], columns: Int, atMost: Int) {
        let stride = max(1, cells.count / atMost)
        middles = Swift.stride(from: 2, to: cells.count - 2, by: stride).filter { middle in
            let first = Int(cells[middle - 2])
            return Int(cells[middle + 2]) == first + 4 && first % columns < columns - 4
        }
    }

    package static func value<Value: BinaryFloatingPoint>(_ values: [Value], at middle: Int) -> Value {
        let outer = values[middle - 2] + values[middle + 2]
        let inner = values[middle - 1] + values[middle + 1]
        return (outer - 4 * inner + 6 * values[middle]) / Value(70).squareRoot()
    }

    /// The standard deviation of normally distributed errors with differences of these sizes: by their median, so that a few
    /// outliers do not matter.
    package static func standardDeviation(sizes: [Double]) -> Double {
        (sizes.upperMedian ?? .nan) / medianOfNormal
    }

    /// Median of the absolute value of a standard normal variable.
    private static let medianOfNormal = 0.674_489_75
}
