/// Weights of squared misfits from standard errors σ of one or several quantities that are observed together (u and v), in their
/// normalisation: (scale / σ)², then scaled to 1 on average. With both components in one unit of their errors, a fit to noise is as good as
/// the observations allow; where each counts by its own range of values, the one that varies less is followed into its errors
/// (docs/accuracy.md).
///
/// Error fields are formal errors and optimistic where many images were stacked, so a few cells must not outweigh the rest: within
/// a quantity (median σ / σ)² is between `lowest` and `highest`. Nor may one quantity push the other out of the sum, which thickness and
/// equations are weighed against: its median counts at most `maxRatio` times as much. A cell without an error counts like the
/// median one, a quantity without errors like the other; where none has any, all weights are 1.
///
/// - Parameters:
///   - errors: an array a quantity, a value an observation.
///   - scales: what one of the normalisation is in the unit of the errors, a quantity each.
package func weights(fromErrors errors: [[Double]], scales: [Double], count: Int) -> [[Double]] {
    let lowest = 0.01
    let highest = 4.0
    let maxRatio = 4.0
    let medians = scales.indices.map { errors.count > $0 ? median(ofErrors: errors[$0]) : nil }
    guard let largest = medians.compactMap({ $0 }).max() else {
        return scales.map { _ in [Double](repeating: 1, count: count) }
    }
    let roots = zip(scales, medians).map { $0 / ($1 ?? largest) }
    let least = (roots.max() ?? 1) / maxRatio.squareRoot()
    let raw = scales.indices.map { number -> [Double] in
        let root = max(roots[number], least)
        let factor = root * root
        guard let median = medians[number] else { return [Double](repeating: factor, count: count) }
        return errors[number].map { error in
            guard error.isFinite, error > 0 else { return factor }
            let ratio = median / error
            return factor * min(highest, max(lowest, ratio * ratio))
        }
    }
    let mean = raw.joined().reduce(0, +) / Double(raw.count * count)
    return raw.map { $0.map { $0 / mean } }
}

/// Of the errors that are known; nil where they are of less than one in a hundred observations.
func median(ofErrors errors: [Double]) -> Double? {
    let known = errors.filter { $0.isFinite && $0 > 0 }.sorted()
    return known.isEmpty || 100 * known.count < errors.count ? nil : known[known.count / 2]
}
