import Export
import Fields
import PointStore

/// How far the prediction is from the observations of one quantity, at those that come first in the store: their order is
/// random, so that they stand for all.
struct MisfitSample {
    let column: Column
    /// Predicted minus observed, ascending.
    let misfits: [Float]
    /// Observations in the store.
    let total: Int

    /// More would change no digit that is shown: the 95 % quantile is known to a few thousandths.
    static let most = 1 << 17

    /// Points that `samples` will evaluate, for progress.
    static func work(_ store: StoreReader) -> Int {
        PointSet.allCases.reduce(0) { $0 + ($1.columns.contains { $0.isObserved } ? min(most, store.count($1)) : 0) }
    }

    /// The samples of every quantity that is observed and predicted.
    static func samples(of prediction: Prediction, report: (Int) throws -> Void) throws -> [MisfitSample] {
        let store = prediction.store
        var samples: [MisfitSample] = []
        for set in PointSet.allCases where store.count(set) > 0 {
            let fields = set.columns.filter(\.isObserved).compactMap { column in
                prediction.fields.firstIndex { $0.name == column.rawValue }.map { (column: column, field: $0) }
            }
            guard !fields.isEmpty else { continue }
            var stored: [[Float]] = []
            try store.read(set, 0..<min(most, store.count(set)), into: &stored)
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

    /// Counts of misfits in so many bins of equal width from -reach to reach, and how many lie beyond.
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
