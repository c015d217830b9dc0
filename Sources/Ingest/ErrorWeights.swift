/// Weights of squared misfits from the products' standard errors σ: (median σ / σ)², between `lowest` and `highest`, then
/// scaled to 1 on average. Error fields are formal errors and optimistic where many images were stacked, so a few cells
/// must not outweigh the rest. A cell without an error counts like the median one; a product without errors gives 1.
package func weights(fromErrors errors: [Double], count: Int) -> [Double] {
    let lowest = 0.01
    let highest = 4.0
    guard let median = median(ofErrors: errors), errors.count == count else {
        return [Double](repeating: 1, count: count)
    }
    let raw = errors.map { error -> Double in
        guard error.isFinite, error > 0 else { return 1 }
        let ratio = median / error
        return min(highest, max(lowest, ratio * ratio))
    }
    let mean = raw.reduce(0, +) / Double(count)
    return raw.map { $0 / mean }
}

/// Of the errors that are known; nil where none is.
func median(ofErrors errors: [Double]) -> Double? {
    let known = errors.filter { $0.isFinite && $0 > 0 }.sorted()
    return known.isEmpty ? nil : known[known.count / 2]
}
