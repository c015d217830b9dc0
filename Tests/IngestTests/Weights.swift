import Ingest

/// All weights of observations, by quantity.
func weights(fromErrors errors: [[Double]], scales: [Double], count: Int) -> [[Double]] {
    let weights = ErrorWeights(from: errors, scales: scales, count: count)
    return scales.indices.map { quantity in (0..<count).map { weights[quantity, $0] } }
}
