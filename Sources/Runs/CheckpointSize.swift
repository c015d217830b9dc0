import Networks
import Optimizers
import PointStore

/// How long the files of a run become: weights, the optimizer's state, and nine numbers an iteration.
extension Checkpoint {
    /// Attributes, the configuration and libhdf5's own structures (measured: 18 kB), with room for longer paths and names.
    private static let headerBytes = 1 << 15
    /// What the library takes for a variable besides its values (measured: 430).
    private static let variableBytes = 1 << 9

    public static func byteCount(
        parameters: Int, optimizer: StateSize, resampledPoints: Int, terms: Int, iterations: Int
    ) -> Int {
        4 * parameters + optimizer.bytes + variableBytes * optimizer.arrays + ResampledPoints.byteCount(resampledPoints)
            + History.byteCount(terms: terms, iterations: iterations) + headerBytes
    }
}

extension ResampledPoints {
    public static func byteCount(_ points: Int) -> Int { 4 * PointSet.collocation.columns.count * points }
}

extension History {
    /// The total, its terms and their root mean squares, in double.
    public static func byteCount(terms: Int, iterations: Int) -> Int { 8 * (1 + 2 * terms) * iterations }
}
