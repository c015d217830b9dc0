import Fields

/// An estimate of the standard error of observations from the values themselves, for products without errors.
///
/// By fourth differences of neighbours (`FourthDifferences`): on a shelf with a 3 km shear margin and cells of 450 m, less than
/// 0.02 % of the speed remains of the signal. The error is estimated as a function of magnitude (speed, thickness), by the median in each class, so that the few cells of rifts and
/// seams do not matter. Correlated errors of neighbours are not detected.
package struct NoiseEstimate: Sendable {
    /// Classes with equal numbers of differences.
    private static let classCount = 12
    /// The smallest number of differences for an estimate.
    private static let minDifferences = 50 * classCount
    /// More would not improve the estimate.
    private static let maxDifferences = 500_000
    /// Relative errors below this are ignored: the observed quantity itself varies by more from year to year.
    private static let minShare = 0.01
    /// Neighbours on each side whose mean gives the magnitude at a cell.
    private static let reach = 3

    /// The median magnitude of each class, ascending, and the error of each quantity; NaN for a quantity without visible noise.
    private let classes: [(magnitude: Double, errors: [Double])]

    /// Nil where the values are too few, or their noise is negligible.
    ///
    /// - Parameters:
    ///   - values: for each quantity (u and v, or h), a value for each cell.
    ///   - cells: row-major, ascending.
    ///   - columns: cells in a row of the grid.
    package init?(of values: [[Double]], at cells: [Int32], columns: Int) {
        let middles = FourthDifferences(at: cells, columns: columns, atMost: NoiseEstimate.maxDifferences).middles
        guard middles.count >= NoiseEstimate.minDifferences else { return nil }
        let magnitudes = middles.map { middle in NoiseEstimate.magnitude(values.map { $0[middle] }) }
        let order = magnitudes.indices.sorted { magnitudes[$0] < magnitudes[$1] }
        let classes = (0..<NoiseEstimate.classCount).map { number -> (magnitude: Double, errors: [Double]) in
            let members = order[
                number * order.count / NoiseEstimate.classCount..<(number + 1) * order.count / NoiseEstimate.classCount]
            let errors = values.map { values in
                FourthDifferences.standardDeviation(
                    sizes: members.map { abs(FourthDifferences.value(values, at: middles[$0])) })
            }
            return (magnitudes[members[members.startIndex + members.count / 2]], errors)
        }
        // Neither the rest of a smooth signal nor the rounding of a component near zero is an error to weight by.
        let typical = classes[classes.count / 2]
        let isNoisy = zip(values, typical.errors).map { values, error in
            let size = middles.map { abs(values[$0]) }.upperMedian ?? .nan
            return error > NoiseEstimate.minShare * max(size, 0.1 * typical.magnitude)
        }
        guard isNoisy.contains(true) else { return nil }
        self.classes = classes.map { ($0.magnitude, zip($0.errors, isNoisy).map { $1 ? $0 : .nan }) }
    }

    /// The errors of one cell's values, from the magnitude of its neighbours. With its own magnitude, a cell whose error is positive
    /// would get less weight than one whose error is negative, and the fit would be biased low (by 0.5 % of the speed for errors
    /// of 5 %).
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
        // An isolated cell has only its own value.
        let others = Double(places.count - 1)
        var square = 0.0
        for values in values {
            let mean = others > 0 ? (places.reduce(0) { $0 + values[$1] } - values[element]) / others : values[element]
            square += mean * mean
        }
        return errors(at: square.squareRoot())
    }

    /// Interpolated linearly between classes.
    package func errors(at magnitude: Double) -> [Double] {
        guard let above = classes.firstIndex(where: { $0.magnitude >= magnitude }) else { return classes.last!.errors }
        guard above > 0 else { return classes[0].errors }
        let (low, high) = (classes[above - 1], classes[above])
        let part = (magnitude - low.magnitude) / (high.magnitude - low.magnitude)
        return zip(low.errors, high.errors).map { $0 + part * ($1 - $0) }
    }

    /// The magnitude of the quantities at one cell: the speed, the thickness.
    private static func magnitude(_ values: [Double]) -> Double {
        values.reduce(0) { $0 + $1 * $1 }.squareRoot()
    }
}

extension Observations {
    /// Fills `errors` with estimates, where the values show any noise.
    mutating func estimateErrors(columns: Int) {
        guard let noise = NoiseEstimate(of: values, at: cells, columns: columns) else { return }
        errors = values.map { _ in [] }
        for number in errors.indices { errors[number].reserveCapacity(count) }
        for element in cells.indices {
            let here = noise.errors(near: element, values, cells, columns: columns)
            for number in here.indices { errors[number].append(here[number]) }
        }
        errorsAreEstimated = true
    }

    /// For the report: "their errors (median 3.1 m yr-1)"; nil where all weights are equal.
    func weighing(unit: String) -> String? {
        let known = errors.compactMap(median(ofErrors:)).map { plain(($0 * 100).rounded() / 100) }
        guard let first = known.first else { return nil }
        let sizes = known.allSatisfy { $0 == first } ? first : known.joined(separator: " and ")
        return "\(errorsAreEstimated ? "their estimated noise" : "their errors") (median \(sizes) \(unit))"
    }
}
