import Fields
import Glibc

/// The Bayesian bootstrap (Rubin 1981, doi:10.1214/aos/1176345338): each observation counts with a random weight of an
/// exponential distribution of mean one, as if the observations had been drawn anew. Networks that are trained with different
/// seeds then differ by what the observations' errors can do to the result, which seeds of initial weights alone never show.
///
/// Errors of different cells are taken for independent: where a product's errors extend over many cells, the spread is too small.
public struct Bootstrap: Sendable {
    private let seed: UInt64

    public init(seed: UInt64) { self.seed = mixed(seed, 0x626f_6f74) }

    /// What an observation counts: a function of the seed and of its place in the store.
    func weight(of set: PointSet, at index: Int) -> Float {
        let stream = mixed(seed, UInt64(PointSet.allCases.firstIndex(of: set)!))
        return Float(-log(1 - unitInterval(mixed(stream, UInt64(index)))))
    }

    /// Multiplies the weights of observations that lie at `points` of the store; other sets have none.
    func apply(to columns: inout [[Float]], of set: PointSet, at points: Range<Int>) {
        for column in set.columns.indices where set.columns[column].isWeight {
            for (place, index) in points.enumerated() { columns[column][place] *= weight(of: set, at: index) }
        }
    }
}
