import Fields
import PointStore

/// The observations of a set sorted by cell, so that those of a band of rows are found quickly.
struct ObservedCells {
    /// Row-major cells of the target, ascending.
    let cells: [Int32]
    /// Physical values, one array for each observed quantity, in the order of `cells`.
    let values: [Column: [Float]]

    /// Bytes that the observations of sets take, and the last of them while it is read: its columns, and its cells before and
    /// after they are sorted, in arrays that grow.
    static func byteCount(of sets: [PointSet], in store: StoreReader) -> Int {
        let kept = sets.map { store.count($0) * 4 * (1 + $0.observedColumns.count) }
        let reading = sets.map { store.count($0) * (4 * $0.columns.count + 2 * 4 + 3 * 8) }
        return kept.reduce(0, +) + (reading.max() ?? 0)
    }

    init(reading set: PointSet, of store: StoreReader, on target: TargetGrid) throws {
        let unordered = try store.cells(of: set).map { target.cell(ofSource: $0) ?? -1 }
        let order = unordered.indices.filter { unordered[$0] >= 0 }.sorted { unordered[$0] < unordered[$1] }
        let columns = try store.read(set, 0..<store.count(set))
        cells = order.map { unordered[$0] }
        var values: [Column: [Float]] = [:]
        for (number, column) in set.columns.enumerated() where column.isObserved {
            let normalization = store.description.normalization(column)
            values[column] = order.map { Float(normalization.physical(Double(columns[number][$0]))) }
        }
        self.values = values
    }

    /// Places of the observations in a range of cells.
    func places(in range: Range<Int>) -> Range<Int> {
        firstPlace(notBelow: range.lowerBound)..<firstPlace(notBelow: range.upperBound)
    }

    private func firstPlace(notBelow cell: Int) -> Int {
        var (low, high) = (0, cells.count)
        while low < high {
            let middle = (low + high) / 2
            if Int(cells[middle]) < cell { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension Column {
    /// The measured quantity in a few words; nil for a position, a normal or a weight.
    public var shortName: String? {
        [.u: "velocity along x", .v: "velocity along y", .h: "thickness", .s: "surface height"][self]
    }

    public var isObserved: Bool { shortName != nil }

    /// The variable that holds predicted minus observed values.
    public var misfitName: String { "misfit_\(rawValue)" }
}

extension PointSet {
    public var observedColumns: [Column] { columns.filter(\.isObserved) }
}
