import Fields
import PointStore

/// A synthetic store of any size: smooth fields at random positions on a square shelf. Layout, order of points and checksums
/// are those of pinn-ingest's stores, so reading it costs the same.
package struct SyntheticStore {
    private let grid: Grid
    private let description: StoreDescription

    private static let halfWidth = 200_000.0
    private static let seed: UInt64 = 1
    /// Number of points made and written at once.
    private static let portion = 1 << 19

    /// - Parameter cells: approximate number of grid cells, all floating ice, each with one observation.
    package init(collocation: Int, cells: Int) {
        let side = max(8, Int(Double(cells).squareRoot().rounded()))
        // Cell spacing in a square 2 halfWidth wide.
        let spacing = 2 * SyntheticStore.halfWidth / Double(side)
        let centres = (0..<side).map { -SyntheticStore.halfWidth + (Double($0) + 0.5) * spacing }
        grid = Grid(x: centres, y: centres.reversed(), projection: nil)
        let position = Normalization(offset: 0, scale: SyntheticStore.halfWidth)
        // [m year⁻¹]
        let velocity = Normalization(offset: 0, scale: 500)
        let thickness = Normalization(offset: 400, scale: 300)
        description = StoreDescription(
            counts: [.collocation: collocation, .velocity: side * side, .thickness: side * side, .front: side],
            normalizations: [.x: position, .y: position, .u: velocity, .v: velocity, .h: thickness],
            scales: Scales(
                length: SyntheticStore.halfWidth, speed: velocity.scale / Constants.secondsPerYear,
                thickness: thickness.offset),
            grids: [
                StoredGrid(
                    name: "velocity", grid: grid,
                    mask: [UInt8](repeating: IceMask.floatingIce.rawValue, count: grid.cellCount))
            ],
            gridOfSet: [.velocity: "velocity", .thickness: "velocity"], seed: SyntheticStore.seed)
    }

    /// Size of the store [bytes].
    package var byteCount: Int { StoreWriter.byteCount(description) }

    package func write(to path: String) throws {
        let writer = try StoreWriter(path: path, description)
        let order = IndexPermutation(count: grid.cellCount, seed: SyntheticStore.seed)
        for set in PointSet.allCases {
            let count = description.counts[set] ?? 0
            for start in stride(from: 0, to: count, by: SyntheticStore.portion) {
                let places = start..<min(start + SyntheticStore.portion, count)
                guard description.gridOfSet[set] != nil else {
                    // The front is the side of the square facing +x.
                    let x = set == .front ? places.map { _ in 1 } : coordinates(places, 1)
                    try writer.append(columns(of: set, x: x, y: coordinates(places, 2)), to: set)
                    continue
                }
                let cells = places.map { order[$0] }
                let x = cells.map { Float(grid.x[$0 % grid.columns] / SyntheticStore.halfWidth) }
                let y = cells.map { Float(grid.y[$0 / grid.columns] / SyntheticStore.halfWidth) }
                try writer.append(columns(of: set, x: x, y: y), to: set)
                try writer.write(cells: cells.map(Int32.init), of: set, from: start)
            }
        }
        try writer.finish()
    }

    /// Random coordinates from -1 to 1.
    private func coordinates(_ places: Range<Int>, _ salt: UInt64) -> [Float] {
        let seed = mixed(SyntheticStore.seed, salt)
        return places.map { Float(2 * unitInterval(mixed(seed, UInt64($0))) - 1) }
    }

    /// Normalised values.
    private func columns(of set: PointSet, x: [Float], y: [Float]) -> [[Float]] {
        set.columns.map { column in
            switch column {
            case .x: x
            case .y: y
            case .u: x.map { 0.5 * $0 + 0.1 * $0 * $0 }
            case .v: y.map { 0.2 * $0 }
            case .h, .s: x.map { -0.5 * $0 }
            case .weightU, .weightV, .weightH, .weightS, .normalX: x.map { _ in 1 }
            case .normalY: x.map { _ in 0 }
            }
        }
    }
}
