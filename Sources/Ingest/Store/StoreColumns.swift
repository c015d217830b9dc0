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
        let same = Normalization(offset: 0, scale: 1)
        let normalization = { (column: Column) in normalizations[column] ?? same }
        self.content = content
        let (x, y) = (normalization(.x), normalization(.y))
        self.x = x
        self.y = y
        collocation = CollocationPoints(
            count: content.points, in: content.shelf, of: content.shelfGrid, seed: content.seed)
        velocity = ObservationColumns(
            content.velocity, on: content.velocityGrid.grid, x, y, [normalization(.u), normalization(.v)],
            seed: mixed(content.seed, 21))
        thickness = ObservationColumns(
            content.thickness, on: content.thicknessGrid.grid, x, y, [normalization(.h)], seed: mixed(content.seed, 22))
        surface = content.surface.map {
            ObservationColumns(
                $0, on: content.thicknessGrid.grid, x, y, [normalization(.s)], seed: mixed(content.seed, 24))
        }
        frontOrder =
            content.front.isEmpty ? nil : IndexPermutation(count: content.front.count, seed: mixed(content.seed, 23))
    }

    /// One array for each column, in the order of `PointSet.columns`.
    func values(of set: PointSet, _ places: Range<Int>) -> [[Float]] {
        switch set {
        case .collocation: return collocationValues(places)
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

    private func collocationValues(_ places: Range<Int>) -> [[Float]] {
        var storedX = [Float](repeating: 0, count: places.count)
        var storedY = storedX
        collocation.forEach(in: places) { number, px, py in
            storedX[number] = Float(x.stored(px))
            storedY[number] = Float(y.stored(py))
        }
        return [storedX, storedY]
    }
}

/// Observations in shuffled order.
private struct ObservationColumns: Sendable {
    private let observations: Observations
    private let grid: Grid
    private let x: Normalization
    private let y: Normalization
    private let normalizations: [Normalization]
    private let weights: [[Double]]
    private let order: IndexPermutation

    init(
        _ observations: Observations, on grid: Grid, _ x: Normalization, _ y: Normalization,
        _ normalizations: [Normalization], seed: UInt64
    ) {
        self.observations = observations
        self.grid = grid
        self.x = x
        self.y = y
        self.normalizations = normalizations
        weights = Ingest.weights(
            fromErrors: observations.errors, scales: normalizations.map(\.scale), count: observations.count)
        order = IndexPermutation(count: observations.count, seed: seed)
    }

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
        for weights in weights { columns.append(elements.map { Float(weights[$0]) }) }
        return columns
    }
}
