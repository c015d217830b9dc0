import Fields

/// The grids on which a shelf is sampled: crops of the two products' grids, with the cover of their cells.
public struct ShelfSurvey: Sendable {
    public let solved: SolvedShelf
    /// Cells of the MEaSUREs velocity grid: x = −2 800 000 + 450 i, y = 2 800 000 − 450 j.
    public let velocityGrid: Grid
    /// Cells of the BedMachine grid, with a wider margin: x = −3 333 000 + 500 i, y = 3 333 000 − 500 j.
    public let thicknessGrid: Grid
    /// Cover of the cells of the thickness grid: ice on the shelf, ocean beyond its front, grounded ice elsewhere (land
    /// around a stream).
    public let mask: [IceMask]

    /// Mesh coordinates of the cells of the velocity grid; nil off the shelf.
    private let velocityPlaces: [VelocityField.Place?]

    private static let velocityMargin = 8
    private static let thicknessMargin = 12

    public init(_ solved: SolvedShelf) throws(PlainFailure) {
        self.solved = solved
        let crop = { (origin: Double, spacing: Double, cells: Int, margin: Int) in
            ShelfSurvey.crop(around: solved.mesh, origin: origin, spacing: spacing, cells: cells, margin: margin)
        }
        guard let velocityGrid = crop(2_800_000, 450, 12_445, ShelfSurvey.velocityMargin),
            let thicknessGrid = crop(3_333_000, 500, 13_333, ShelfSurvey.thicknessMargin)
        else {
            throw PlainFailure(
                "the shelf \(quoted(solved.shelf.name)) does not lie inside the products' grids (EPSG:3031, ±2800 km)")
        }
        self.velocityGrid = velocityGrid
        self.thicknessGrid = thicknessGrid
        velocityPlaces = velocityGrid.positions.map(solved.field.place(of:))
        mask = thicknessGrid.positions.map { position in
            if solved.field.place(of: position) != nil { return solved.ice }
            if ShelfSurvey.isBeyondFront(position, of: solved.mesh) { return .ocean }
            return solved.ice == .floatingIce ? .groundedIce : .iceFreeLand
        }
    }

    /// Velocities [m s⁻¹] at the cells of the velocity grid, row-major; nil off the shelf.
    public func velocities() -> [Velocity?] {
        velocityPlaces.map { $0.map(solved.field.velocity(at:)) }
    }

    /// Viscosities [Pa s] at the cells of the velocity grid; nil off the shelf.
    public func viscosities() -> [Viscosity?] {
        zip(velocityGrid.positions, velocityPlaces).map { position, place in
            place.map { solved.viscosity(at: position, $0) }
        }
    }

    /// Accumulation minus melt that keeps the shelf steady, div(h u) [m s⁻¹], at the cells of the velocity grid; nil off
    /// the shelf, and near the ends of the front, where the strain rate is unbounded if ice sticks to the wall. Meshes of 250
    /// and 150 m differ there by 17 m yr⁻¹, 5 % of the field's norm; farther than 2 km away by 0.2 %.
    public func massBalances() -> [Double?] {
        let h = solved.shelf.thickness(at:)
        let ends = [0.0, 1.0].map { solved.shelf.position(along: 1, across: $0) }
        // A step of 1 m for features of kilometres: relative truncation error 1e-8, rounding error 1e-13.
        let slope = { (position: Position, step: Position) in (h(position + step) - h(position - step)) / 2 }
        return zip(velocityGrid.positions, velocityPlaces).map { position, place in
            let isNearEnd = ends.contains { end in
                let offset = position - end
                return (offset * offset).sum() < 2000 * 2000
            }
            guard !isNearEnd else { return nil }
            return place.map { place in
                let velocity = solved.field.velocity(at: place)
                let gradient = solved.field.gradient(at: place)
                return velocity.x * slope(position, Position(1, 0)) + velocity.y * slope(position, Position(0, 1))
                    + h(position) * (gradient.x.x + gradient.y.y)
            }
        }
    }

    /// Thicknesses [m] at the cells of the thickness grid; nil off the shelf.
    public func thicknesses() -> [Double?] {
        zip(thicknessGrid.positions, mask).map { $1 == solved.ice ? solved.shelf.thickness(at: $0) : nil }
    }

    /// Surface heights of a stream [m] at the cells of the thickness grid; nil off the stream.
    public func surfaces() -> [Double?]? {
        guard let stream = solved.shelf as? any SyntheticStream else { return nil }
        return zip(thicknessGrid.positions, mask).map { $1 == solved.ice ? stream.surface(at: $0) : nil }
    }

    /// Friction C² of a stream [Pa] at the cells of the velocity grid; nil off the stream.
    public func frictions() -> [Double?]? {
        guard let stream = solved.shelf as? any SyntheticStream else { return nil }
        return zip(velocityGrid.positions, velocityPlaces).map { $1 == nil ? nil : stream.friction(at: $0) }
    }

    /// Whether the nearest point of the shelf's outline lies on the front, between its corners: beyond the corners the coast
    /// continues at right angles to the front, as in a bay.
    private static func isBeyondFront(_ position: Position, of mesh: Mesh) -> Bool {
        var front = Double.infinity
        var walls = Double.infinity
        for side in Mesh.Side.allCases {
            // Outlines are smooth over a few elements, so distances to nodes are accurate enough.
            var nodes = mesh.nodes(on: side)[...]
            if side == .front { nodes = nodes.dropFirst().dropLast() }
            for node in nodes {
                let away = distance(mesh.nodes[node], position)
                if side == .front { front = min(front, away) } else { walls = min(walls, away) }
            }
        }
        return front < walls
    }

    /// The cells of a product's grid (x ascending from −origin, y descending from origin) around a mesh; nil if the
    /// margin would reach beyond the product.
    private static func crop(around mesh: Mesh, origin: Double, spacing: Double, cells: Int, margin: Int) -> Grid? {
        let xs = mesh.nodes.map(\.x)
        let ys = mesh.nodes.map(\.y)
        guard let west = xs.min(), let east = xs.max(), let south = ys.min(), let north = ys.max() else { return nil }
        let columns =
            Int(((west + origin) / spacing).rounded(.down)) - margin...Int(((east + origin) / spacing).rounded(.up))
            + margin
        let rows =
            Int(((origin - north) / spacing).rounded(.down)) - margin...Int(((origin - south) / spacing).rounded(.up))
            + margin
        guard columns.lowerBound >= 0, rows.lowerBound >= 0, columns.upperBound < cells, rows.upperBound < cells else {
            return nil
        }
        return Grid(
            x: columns.map { -origin + spacing * Double($0) }, y: rows.map { origin - spacing * Double($0) },
            projection: nil)
    }
}

extension Grid {
    /// Centres of the cells [m], row-major.
    var positions: [Position] {
        y.flatMap { y in x.map { x in Position(x, y) } }
    }
}
