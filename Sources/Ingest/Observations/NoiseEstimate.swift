import Fields

/// The standard error of observations whose product gives none, as far as the values themselves show it.
///
/// Fourth differences of neighbours in a row, (1, −4, 6, −4, 1)/√70, keep the variance of errors that are independent from cell to
/// cell and leave almost nothing of smooth ice: on a shelf with a 3 km shear margin and cells of 450 m less than 0.02 % of the
/// speed (difference-based estimators: Hall, Kay & Titterington 1990, doi:10.1093/biomet/77.3.521). The error is told by how
/// large a value is (a speed, a thickness), and in each class of values by the median, so that the few cells of rifts and seams
/// do not count. Errors that neighbours share are not seen.
package struct NoiseEstimate: Sendable {
    /// Classes of equally many differences.
    private static let classCount = 12
    /// Fewer differences tell nothing.
    private static let fewest = 50 * classCount
    /// More are not looked at.
    private static let most = 500_000
    /// Errors of a smaller part of the values are no reason to weigh: what is observed differs by more from year to year.
    private static let minShare = 0.01
    /// Neighbours to each side whose mean tells how large a value is.
    private static let reach = 3
    /// Median of the absolute value of a normal distribution in its standard deviations.
    private static let medianOfNormal = 0.674_489_75

    /// Ascending: the median magnitude of a class, and the error of each quantity there; NaN for one that shows none.
    private let classes: [(magnitude: Double, errors: [Double])]

    /// Nil where the values show no error that matters, or are too few.
    ///
    /// - Parameters:
    ///   - values: one array a quantity (u and v, or h), a value a cell.
    ///   - cells: row-major, ascending.
    ///   - columns: cells in a row of the grid.
    package init?(of values: [[Double]], at cells: [Int32], columns: Int) {
        let stride = max(1, cells.count / NoiseEstimate.most)
        let middles = Swift.stride(from: 2, to: cells.count - 2, by: stride).filter { middle in
            let first = Int(cells[middle - 2])
            return Int(cells[middle + 2]) == first + 4 && first % columns < columns - 4
        }
        guard middles.count >= NoiseEstimate.fewest else { return nil }
        let magnitudes = middles.map { middle in NoiseEstimate.magnitude(values.map { $0[middle] }) }
        let order = magnitudes.indices.sorted { magnitudes[$0] < magnitudes[$1] }
        let classes = (0..<NoiseEstimate.classCount).map { number -> (magnitude: Double, errors: [Double]) in
            let members = order[
                number * order.count / NoiseEstimate.classCount..<(number + 1) * order.count / NoiseEstimate.classCount]
            let errors = values.map { values in
                let sizes = members.map { abs(NoiseEstimate.fourthDifference(values, at: middles[$0])) }.sorted()
                return sizes[sizes.count / 2] / NoiseEstimate.medianOfNormal
            }
            return (magnitudes[members[members.startIndex + members.count / 2]], errors)
        }
        // What is left of smooth ice is no error to weigh by, nor is the rounding of a component that is next to nothing.
        let typical = classes[classes.count / 2]
        let isNoisy = zip(values, typical.errors).map { values, error in
            let sizes = middles.map { abs(values[$0]) }.sorted()
            return error > NoiseEstimate.minShare * max(sizes[sizes.count / 2], 0.1 * typical.magnitude)
        }
        guard isNoisy.contains(true) else { return nil }
        self.classes = classes.map { ($0.magnitude, zip($0.errors, isNoisy).map { $1 ? $0 : .nan }) }
    }

    /// The errors of one cell's values, from how large its neighbours' values are: by its own value a cell whose error makes it large
    /// would count less than one whose error makes it small, and the fit would be too low (by 0.5 % of the speed where the
    /// errors are 5 %).
    package func errors(near element: Int, _ values: [[Double]], _ cells: [Int32], columns: Int) -> [Double] {
        let cell = Int(cells[element])
        let inRow = cell % columns
        var places = max(0, element - NoiseEstimate.reach)...min(cells.count - 1, element + NoiseEstimate.reach)
        let isNeighbour = { (place: Int) in
            let step = Int(cells[place]) - cell
            return abs(step) <= NoiseEstimate.reach && 0..<columns ~= inRow + step
        }
        while !isNeighbour(places.lowerBound) { places = places.lowerBound + 1...places.upperBound }
        while !isNeighbour(places.upperBound) { places = places.lowerBound...places.upperBound - 1 }
        // A cell alone has its own value only.
        let others = Double(places.count - 1)
        var square = 0.0
        for values in values {
            let mean = others > 0 ? (places.reduce(0) { $0 + values[$1] } - values[element]) / others : values[element]
            square += mean * mean
        }
        return errors(at: square.squareRoot())
    }

    /// Between classes in proportion.
    package func errors(at magnitude: Double) -> [Double] {
        guard let above = classes.firstIndex(where: { $0.magnitude >= magnitude }) else { return classes.last!.errors }
        guard above > 0 else { return classes[0].errors }
        let (low, high) = (classes[above - 1], classes[above])
        let part = (magnitude - low.magnitude) / (high.magnitude - low.magnitude)
        return zip(low.errors, high.errors).map { $0 + part * ($1 - $0) }
    }

    /// Of all quantities at one place: the speed, the thickness.
    private static func magnitude(_ values: [Double]) -> Double {
        values.reduce(0) { $0 + $1 * $1 }.squareRoot()
    }

    private static func fourthDifference(_ values: [Double], at middle: Int) -> Double {
        let outer = values[middle - 2] + values[middle + 2]
        let inner = values[middle - 1] + values[middle + 1]
        return (outer - 4 * inner + 6 * values[middle]) / 70.0.squareRoot()
    }
}

extension Observations {
    /// Errors as the values show them, where they show any.
    mutating func estimateErrors(columns: Int) {
        guard let noise = NoiseEstimate(of: values, at: cells, columns: columns) else { return }
        errors = values.map { _ in [] }
        for element in cells.indices {
            for (number, error) in noise.errors(near: element, values, cells, columns: columns).enumerated() {
                errors[number].append(error)
            }
        }
        errorsAreEstimated = true
    }

    /// For the report: "their errors, 3.1 m/year in the median"; nil where all count the same.
    func weighing(unit: String) -> String? {
        let known = errors.compactMap(median(ofErrors:)).map { plain(($0 * 100).rounded() / 100) }
        guard let first = known.first else { return nil }
        let sizes = known.allSatisfy { $0 == first } ? first : known.joined(separator: " and ")
        return "\(errorsAreEstimated ? "the noise in them" : "their errors"), \(sizes) \(unit) in the median"
    }
}

func rootMeanSquare(_ values: [Double]) -> Double {
    (values.reduce(0) { $0 + $1 * $1 } / Double(values.count)).squareRoot()
}
