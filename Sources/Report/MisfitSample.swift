import Export
import Fields
import PointStore

/// Misfits of one quantity at the first observations of the store; the store's order is random, so these are a random sample.
struct MisfitSample {
    let column: Column
    /// Predicted minus observed, in ascending order.
    let misfits: [Float]
    /// Number of observations in the store.
    let total: Int

    /// Largest sample: the 95 % quantile is then accurate to a few thousandths, and more would change no digit shown.
    static let maxCount = 1 << 17

    /// Number of points that `samples` evaluates, for progress.
    static func work(_ store: StoreReader) -> Int {
        PointSet.allCases.reduce(0) {
            $0 + ($1.columns.contains { $0.isObserved } ? min(maxCount, store.count($1)) : 0)
        }
    }

    /// A sample for every quantity that is both observed and predicted.
    static func samples(of prediction: Prediction, report: (Int) throws -> Void) throws -> [MisfitSample] {
        let store = prediction.store
        var samples: [MisfitSample] = []
        for set in PointSet.allCases where store.count(set) > 0 {
            let fields = set.columns.filter(\.isObserved).compactMap { column in
                prediction.fields.firstIndex { $0.name == column.rawValue }.map { (column: column, field: $0) }
            }
            guard !fields.isEmpty else { continue }
            let stored = try store.read(set, 0..<min(maxCount, store.count(set)))
            let observed = store.physical(set, stored)
            let predicted = try prediction.fields(x: observed[.x]!, y: observed[.y]!).values
            for (column, field) in fields {
                let misfits = zip(predicted[field], observed[column]!).map { Float(Double($0) - $1) }
                samples.append(
                    MisfitSample(
                        column: column, misfits: misfits.filter(\.isFinite).sorted(), total: store.count(set)))
            }
            try report(stored[0].count)
        }
        return samples
    }

    var mean: Double { misfits.mean ?? 0 }
    var rootMeanSquare: Double { misfits.rootMeanSquare ?? 0 }

    /// Quantiles of |misfit|.
    func quantiles(_ shares: [Double]) -> [Double] {
        misfits.map { abs($0) }.quantiles(shares) ?? shares.map { _ in 0 }
    }

    /// Counts of misfits in equal bins from -reach to reach, and the number outside.
    func histogram(reach: Double, bins: Int) -> (counts: [Int], beyond: Int) {
        var counts = [Int](repeating: 0, count: bins)
        var beyond = 0
        for misfit in misfits {
            guard abs(Double(misfit)) <= reach else {
                beyond += 1
                continue
            }
            counts[min(bins - 1, Int((Double(misfit) + reach) / (2 * reach) * Double(bins)))] += 1
        }
        return (counts, beyond)
    }
}
