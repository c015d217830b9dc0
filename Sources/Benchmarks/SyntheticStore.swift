import Fields
import PointStore

/// A synthetic store of any size: smooth fields at random positions on a square shelf. Layout, order of points and checksums
/// are those of pinn-ingest's stores, so reading it costs the same.
package struct SyntheticStore {
    private let collocation: Int
    private let observations: Int
    private let front: Int
    private let grid: Grid

    private static let halfWidth = 200_000.0
    /// [m year⁻¹]
    private static let speed = 500.0
    private static let thickness = Normalization(offset: 400, scale: 300)
    private static let seed: UInt64 = 1
    /// Number of points made and written at once.
    private static let portion = 1 << 19

    /// - Parameter cells: approximate number of grid cells, all floating ice.
    package init(collocation: Int, cells: Int) {
        self.collocation = collocation
        let side = max(8, Int(Double(cells).squareRoot().rounded()))
        // Cell spacing in a square 2 halfWidth wide.
        let spacing = 2 * SyntheticStore.halfWidth / Double(side)
        let centres = (0..<side).map { -SyntheticStore.halfWidth + (Double($0) + 0.5) * spacing }
        grid = Grid(x: centres, y: centres.reversed(), projection: nil)
        // Every cell has one observation.
        observations = side * side
        front = max(1, side)
    }

    private var description: StoreDescription {
        let position = Normalization(offset: 0, scale: SyntheticStore.halfWidth)
        let velocity = Normalization(offset: 0, scale: SyntheticStore.speed)
        return StoreDescription(
            counts: [.collocation: collocation, .velocity: observations, .thickness: observations, .front: front],
            normalizations: [
                .x: position, .y: position, .u: velocity, .v: velocity, .h: SyntheticStore.thickness,
            ],
            scales: Scales(
                length: SyntheticStore.halfWidth, speed: SyntheticStore.speed / Constants.secondsPerYear,
                thickness: SyntheticStore.thickness.offset),
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
        let description = self.description
        let writer = try StoreWriter(path: path, description)
        let order = IndexPermutation(count: grid.cellCount, seed: SyntheticStore.seed)
        for set in PointSet.allCases {
            let count = description.counts[set] ?? 0
            for start in stride(from: 0, to: count, by: SyntheticStore.portion) {
                let places = start..<min(start + SyntheticStore.portion, count)
                switch set {
                case .collocation, .front:
                    try writer.append(columns(of: set, random(places, of: set)), to: set)
                case .velocity, .thickness, .surface:
                    let cells = places.map { Int32(order[$0]) }
                    try writer.append(columns(of: set, centres(of: cells)), to: set)
                    try writer.write(cells: cells, of: set, from: start)
                }
            }
        }
        try writer.finish()
    }

    // MARK: Normalised values

    private typealias Positions = (x: [Float], y: [Float])

    private func random(_ places: Range<Int>, of set: PointSet) -> Positions {
        func coordinates(_ salt: UInt64) -> [Float] {
            let seed = mixed(SyntheticStore.seed, salt)
            return places.map { Float(2 * unitInterval(mixed(seed, UInt64($0))) - 1) }
        }
        // The front is the side of the square facing +x.
        return (set == .front ? places.map { _ in 1 } : coordinates(1), coordinates(2))
    }

    private func centres(of cells: [Int32]) -> Positions {
        (
            cells.map { Float(grid.x[Int($0) % grid.columns] / SyntheticStore.halfWidth) },
            cells.map { Float(grid.y[Int($0) / grid.columns] / SyntheticStore.halfWidth) }
        )
    }

    private func columns(of set: PointSet, _ at: Positions) -> [[Float]] {
        set.columns.map { column in
            switch column {
            case .x: at.x
            case .y: at.y
            case .u: at.x.map { 0.5 * $0 + 0.1 * $0 * $0 }
            case .v: at.y.map { 0.2 * $0 }
            case .h, .s: at.x.map { -0.5 * $0 }
            case .weightU, .weightV, .weightH, .weightS, .normalX: at.x.map { _ in 1 }
            case .normalY: at.x.map { _ in 0 }
            }
        }
    }
}
