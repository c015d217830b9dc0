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
        PointSet.allCases.filter { !$0.observedColumns.isEmpty }.reduce(0) { $0 + min(maxCount, store.count($1)) }
    }

    /// A sample for every quantity that is both observed and predicted.
    static func samples(of prediction: Prediction, report: (Int) throws -> Void) throws -> [MisfitSample] {
        let store = prediction.store
        var samples: [MisfitSample] = []
        for set in PointSet.allCases where store.count(set) > 0 {
            let fields = set.observedColumns.compactMap { column in
                prediction.fields.firstIndex { $0.name == column.rawValue }.map { (column: column, field: $0) }
            }
            guard !fields.isEmpty else { continue }
            let stored = try store.read(set, 0..<min(maxCount, store.count(set)))
            let observed = store.physical(set, stored)
            let predicted = try prediction.fields(x: observed[.x]!, y: observed[.y]!).values
            for (column, field) in fields {
                let misfits = zip(predicted[field], observed[column]!).map { Float(Double($0) - $1) }.filter(\.isFinite)
                samples.append(MisfitSample(column: column, misfits: misfits.sorted(), total: store.count(set)))
            }
            try report(stored[0].count)
        }
        return samples
    }

    /// "thickness"
    var name: String { column.shortName ?? "" }
    var mean: Double { misfits.mean ?? 0 }
    var rootMeanSquare: Double { misfits.rootMeanSquare ?? 0 }

    /// Quantiles of |misfit|.
    func quantiles(_ shares: [Double]) -> [Double] {
        misfits.map { abs($0) }.quantiles(shares) ?? shares.map { _ in 0 }
    }

    /// Counts of misfits in equal bins from -reach to reach, and the number outside.
    func histogram(reach: Double, bins: Int) -> (counts: [Int], beyond: Int) {
        let within = misfits.map(Double.init).filter { abs($0) <= reach }
        var counts = [Int](repeating: 0, count: bins)
        for misfit in within { counts[min(bins - 1, Int((misfit + reach) / (2 * reach) * Double(bins)))] += 1 }
        return (counts, misfits.count - within.count)
    }
}
