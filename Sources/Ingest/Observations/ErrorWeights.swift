import Fields

/// Weights of squared misfits from standard errors σ, for one quantity or several that are observed together (u and v):
/// (scale / σ)² in the normalised misfit, scaled to 1 on average. Weighting each component by its own range of values instead fits
/// the errors of the one that varies less (docs/accuracy.md).
///
/// Error fields are formal errors, too small where many images were stacked, so a few cells must not dominate: within a
/// quantity, (median σ / σ)² is limited to `lowest` ... `highest`. Nor may one quantity suppress the other: its median
/// counts at most `maxRatio` times as much. A cell without an error has the median weight, a quantity without errors the weights
/// of the other; without any errors, all weights are 1. Computed on demand: of millions of cells, they would take as much as the
/// observations.
package struct ErrorWeights: Sendable {
    private static let ratios = 0.01...4.0
    private static let maxRatio = 4.0

    private let errors: [[Double]]
    private let medians: [Double?]
    /// What the median error of each quantity weighs.
    private var factors: [Double]
    private var mean = 1.0

    /// - Parameters:
    ///   - errors: for each quantity, one value for each observation.
    ///   - scales: for each quantity, the normalisation's scale in the unit of the errors.
    ///   - count: the number of observations.
    package init(from errors: [[Double]], scales: [Double], count: Int) {
        self.errors = errors
        medians = scales.indices.map { errors.count > $0 ? median(ofErrors: errors[$0]) : nil }
        factors = scales.map { _ in 1 }
        guard let largest = medians.compactMap({ $0 }).max() else { return }
        let roots = zip(scales, medians).map { $0 / ($1 ?? largest) }
        let minRoot = (roots.max() ?? 1) / ErrorWeights.maxRatio.squareRoot()
        factors = roots.map { max($0, minRoot) * max($0, minRoot) }
        var sum = 0.0
        for quantity in scales.indices {
            for observation in 0..<count { sum += self[quantity, observation] }
        }
        mean = sum / Double(scales.count * count)
    }

    package subscript(quantity: Int, observation: Int) -> Double {
        guard let median = medians[quantity] else { return factors[quantity] / mean }
        let error = errors[quantity][observation]
        guard error.isFinite, error > 0 else { return factors[quantity] / mean }
        let ratio = median / error
        let (lowest, highest) = (ErrorWeights.ratios.lowerBound, ErrorWeights.ratios.upperBound)
        return factors[quantity] * min(highest, max(lowest, ratio * ratio)) / mean
    }
}

/// The median of the known errors; nil where fewer than one observation in a hundred has one.
func median(ofErrors errors: [Double]) -> Double? {
    var known: [Double] = []
    known.reserveCapacity(errors.count)
    for error in errors where error.isFinite && error > 0 { known.append(error) }
    known.sort()
    return known.isEmpty || 100 * known.count < errors.count ? nil : known[known.count / 2]
}
