import Fields
import Glibc

/// The Bayesian bootstrap (Rubin 1981, doi:10.1214/aos/1176345338): each observation gets a random weight from an exponential
/// distribution of mean one, as if the observations had been drawn again. Networks trained with different seeds then also differ
/// by the effect of the observations' errors, which different initial weights alone do not show.
///
/// Errors of different cells are taken to be independent: where a product's errors are correlated over many cells, the spread is too
/// small.
public struct Bootstrap: Sendable {
    private let seed: UInt64

    public init(seed: UInt64) { self.seed = mixed(seed, 0x626f_6f74) }

    /// The weight of an observation: a function of the seed and of its index in the store.
    func weight(of set: PointSet, at index: Int) -> Float {
        let stream = mixed(seed, UInt64(PointSet.allCases.firstIndex(of: set)!))
        return Float(-log(1 - unitInterval(mixed(stream, UInt64(index)))))
    }

    /// Replaces the weights of the observations at `points` of the store by multiplied copies; other columns stay.
    func apply(to columns: inout [FloatColumn], of set: PointSet, at points: Range<Int>) {
        for column in set.columns.indices where set.columns[column].isWeight {
            columns[column] = FloatColumn(zip(points, columns[column]).map { $1 * weight(of: set, at: $0) })
        }
    }
}
