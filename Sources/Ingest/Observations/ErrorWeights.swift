import Fields

/// Weights of squared misfits from standard errors σ, for one quantity or several that are observed together (u and v):
/// (scale / σ)² in the normalised misfit, scaled to 1 on average. Weighting each component by its own range of values instead fits
/// the errors of the one that varies less (docs/accuracy.md).
///
/// Error fields are formal errors, too small where many images were stacked, so a few cells must not dominate: within a
/// quantity, (median σ / σ)² is limited to `lowest` ... `highest`. Nor may one quantity suppress the other: its median
/// counts at most `maxRatio` times as much. A cell without an error has the median weight, a quantity without errors the weights
/// of the other; without any errors, all weights are 1.
///
/// - Parameters:
///   - errors: for each quantity, one value for each observation.
///   - scales: for each quantity, the normalisation's scale in the unit of the errors.
///   - count: the number of observations.
package func weights(fromErrors errors: [[Double]], scales: [Double], count: Int) -> [[Double]] {
    let lowest = 0.01
    let highest = 4.0
    let maxRatio = 4.0
    let medians = scales.indices.map { errors.count > $0 ? median(ofErrors: errors[$0]) : nil }
    guard let largest = medians.compactMap({ $0 }).max() else {
        return scales.map { _ in [Double](repeating: 1, count: count) }
    }
    let roots = zip(scales, medians).map { $0 / ($1 ?? largest) }
    let minRoot = (roots.max() ?? 1) / maxRatio.squareRoot()
    let raw = scales.indices.map { number -> [Double] in
        let root = max(roots[number], minRoot)
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

/// The median of the known errors; nil where fewer than one observation in a hundred has one.
func median(ofErrors errors: [Double]) -> Double? {
    let known = errors.filter { $0.isFinite && $0 > 0 }
    return 100 * known.count < errors.count ? nil : known.upperMedian
}
