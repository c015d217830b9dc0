import Fields
import PointStore

/// How noisy a store's observations are: what decides how a run begins where its user does not say.
public enum ObservationNoise {
    /// The standard error of the velocity relative to the median speed, or of the thickness to the median thickness, whichever is
    /// larger, from neighbouring cells (`FourthDifferences`); nil where there are too few neighbours, or more observations than
    /// are read for this.
    public static func share(in store: StoreReader) throws -> Double? {
        try store.description.counts.keys.filter { $0 == .velocity || $0 == .thickness }
            .compactMap { try share(of: $0, in: store) }.max()
    }

    private static func share(of set: PointSet, in store: StoreReader) throws -> Double? {
        let count = store.count(set)
        guard (minDifferences...maxObservations).contains(count),
            let grid = store.description.grids.first(where: { $0.name == store.description.gridOfSet[set] })
        else { return nil }
        let unordered = try store.cells(of: set)
        let order = unordered.indices.sorted { unordered[$0] < unordered[$1] }
        let differences = FourthDifferences(
            at: order.map { unordered[$0] }, columns: grid.grid.columns, atMost: maxObservations)
        guard differences.middles.count >= minDifferences else { return nil }
        let columns = try store.read(set, 0..<count)
        var errors: [Double] = []
        var squares = [Double](repeating: 0, count: differences.middles.count)
        for (number, column) in set.columns.enumerated() where [.u, .v, .h].contains(column) {
            let normalization = store.description.normalization(column)
            let values = order.map { normalization.physical(Double(columns[number][$0])) }
            errors.append(
                FourthDifferences.standardDeviation(
                    sizes: differences.middles.map { abs(FourthDifferences.value(values, at: $0)) }))
            for (place, middle) in differences.middles.enumerated() {
                squares[place] += values[middle] * values[middle]
            }
        }
        guard let size = squares.upperMedian?.squareRoot(), size > 0, let error = errors.max() else { return nil }
        return error / size
    }

    private static let minDifferences = 600
    /// Of which the columns take 40 MB. Larger stores are of real products, which have noise.
    private static let maxObservations = 2_000_000
}
