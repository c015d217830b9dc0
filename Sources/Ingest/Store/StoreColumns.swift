import Fields
import PointStore

/// The columns of every set in its shuffled order, as normalised float32.
struct StoreColumns: Sendable {
    private let content: StoreContent
    private let collocation: CollocationPoints
    private let velocity: ObservationColumns
    private let thickness: ObservationColumns
    private let surface: ObservationColumns?
    private let frontOrder: IndexPermutation?
    private let x: Normalization
    private let y: Normalization

    init(_ content: StoreContent, _ normalizations: [Column: Normalization]) {
        func normalization(_ column: Column) -> Normalization {
            normalizations[column] ?? Normalization(offset: 0, scale: 1)
        }
        let (x, y) = (normalization(.x), normalization(.y))
        func columns(_ found: Observations, _ window: GridWindow, _ of: [Column], salt: UInt64) -> ObservationColumns {
            let own = of.map(normalization)
            return ObservationColumns(
                observations: found, grid: window.grid, x: x, y: y, normalizations: own,
                weights: ErrorWeights(from: found.errors, scales: own.map(\.scale), count: found.count),
                order: IndexPermutation(count: found.count, seed: mixed(content.seed, salt)))
        }
        self.content = content
        (self.x, self.y) = (x, y)
        collocation = CollocationPoints(
            count: content.points, in: content.shelf, of: content.shelfGrid, seed: content.seed)
        velocity = columns(content.velocity, content.velocityGrid, [.u, .v], salt: 21)
        thickness = columns(content.thickness, content.thicknessGrid, [.h], salt: 22)
        surface = content.surface.map { columns($0, content.thicknessGrid, [.s], salt: 24) }
        frontOrder =
            content.front.isEmpty ? nil : IndexPermutation(count: content.front.count, seed: mixed(content.seed, 23))
    }

    /// One array for each column, in the order of `PointSet.columns`.
    func values(of set: PointSet, _ places: Range<Int>) -> [[Float]] {
        switch set {
        case .collocation:
            var storedX = [Float](repeating: 0, count: places.count)
            var storedY = storedX
            collocation.forEach(in: places) { number, px, py in
                storedX[number] = Float(x.stored(px))
                storedY[number] = Float(y.stored(py))
            }
            return [storedX, storedY]
        case .velocity: return velocity.values(places)
        case .thickness: return thickness.values(places)
        case .surface: return surface?.values(places) ?? []
        case .front:
            guard let frontOrder else { return [] }
            let points = frontOrder.indices(at: places).map { content.front[$0] }
            return [
                points.map { Float(x.stored($0.x)) }, points.map { Float(y.stored($0.y)) },
                points.map { Float($0.normalX) }, points.map { Float($0.normalY) },
            ]
        }
    }

    /// The cells of observations; nil for the other sets.
    func cells(of set: PointSet, _ places: Range<Int>) -> [Int32]? {
        switch set {
        case .velocity: velocity.cells(places)
        case .thickness: thickness.cells(places)
        case .surface: surface?.cells(places)
        case .collocation, .front: nil
        }
    }
}

/// Observations in shuffled order.
private struct ObservationColumns: Sendable {
    let observations: Observations
    let grid: Grid
    let x: Normalization
    let y: Normalization
    let normalizations: [Normalization]
    let weights: ErrorWeights
    let order: IndexPermutation

    func cells(_ places: Range<Int>) -> [Int32] { order.indices(at: places).map { observations.cells[$0] } }

    func values(_ places: Range<Int>) -> [[Float]] {
        let elements = order.indices(at: places)
        let cells = elements.map { Int(observations.cells[$0]) }
        var columns = [
            cells.map { Float(x.stored(grid.x[$0 % grid.columns])) },
            cells.map { Float(y.stored(grid.y[$0 / grid.columns])) },
        ]
        for (values, normalization) in zip(observations.values, normalizations) {
            columns.append(elements.map { Float(normalization.stored(values[$0])) })
        }
        for quantity in normalizations.indices { columns.append(elements.map { Float(weights[quantity, $0]) }) }
        return columns
    }
}
