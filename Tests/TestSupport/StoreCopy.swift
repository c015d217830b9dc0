import PointStore

/// Writes another store like one that is there, with something changed.
public func copyStore(
    _ path: String, to other: String, changing change: (inout StoreDescription) -> Void = { _ in },
    values changeValues: (_ set: PointSet, _ column: Column, _ values: inout [Float]) -> Void = { _, _, _ in },
    cells changeCells: (inout [Int32]) -> Void = { _ in }
) throws {
    let store = try StoreReader(path: path)
    var description = store.description
    change(&description)
    let writer = try StoreWriter(path: other, description)
    for set in PointSet.allCases where store.count(set) > 0 {
        var columns = try store.read(set, 0..<store.count(set))
        for (place, column) in set.columns.enumerated() { changeValues(set, column, &columns[place]) }
        try writer.append(columns, to: set)
        guard description.gridOfSet[set] != nil else { continue }
        var cells = try store.cells(of: set)
        changeCells(&cells)
        try writer.write(cells: cells, of: set)
    }
    try writer.finish()
}
