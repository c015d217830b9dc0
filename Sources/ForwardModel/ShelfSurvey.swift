import Fields

/// The grids that a shelf is sampled on: crops of the two products' own grids, and what covers their cells.
public struct ShelfSurvey: Sendable {
    public let solved: SolvedShelf
    /// Cells of the MEaSUREs velocity grid: x = −2 800 000 + 450 i, y = 2 800 000 − 450 j.
    public let velocityGrid: Grid
    /// Cells of the BedMachine grid, a little wider: x = −3 333 000 + 500 i, y = 3 333 000 − 500 j.
    public let thicknessGrid: Grid
    /// What covers the cells of the thickness grid: ice on the shelf, the sea beyond its front, grounded ice elsewhere (land
    /// about a stream).
    public let mask: [IceMask]

    /// Where the cells of the velocity grid lie on the mesh; nil off the shelf.
    private let velocityPlaces: [VelocityField.Place?]

    private static let velocityMargin = 8
    private static let thicknessMargin = 12

    public init(_ solved: SolvedShelf) throws(ForwardModelError) {
        self.solved = solved
        let crop = { (origin: Double, spacing: Double, cells: Int, margin: Int) in
            ShelfSurvey.crop(around: solved.mesh, origin: origin, spacing: spacing, cells: cells, margin: margin)
        }
        guard let velocityGrid = crop(2_800_000, 450, 12_445, ShelfSurvey.velocityMargin),
            let thicknessGrid = crop(3_333_000, 500, 13_333, ShelfSurvey.thicknessMargin)
        else { throw .outsideOfProduct(shelf: solved.shelf.name) }
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

    /// Accumulation minus melt [m s⁻¹] that keeps the shelf as it is, div(h u), at the cells of the velocity grid; nil off
    /// the shelf, and near the ends of the front: where a wall that holds the ice meets it, the strain rate has no bound.
    /// Meshes of 250 and of 150 m differ there by 17 m/yr, 5 % of the field's norm; 2 km from there on by 0.2 %.
    public func massBalances() -> [Double?] {
        let h = solved.shelf.thickness(at:)
        let ends = [0.0, 1.0].map { solved.shelf.position(along: 1, across: $0) }
        // A metre beside shapes of kilometres: 1e-8 of truncation, 1e-13 of rounding.
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

    /// Heights of the surface [m] at the cells of the thickness grid, of a stream; nil off it.
    public func surfaces() -> [Double?]? {
        guard let stream = solved.shelf as? any SyntheticStream else { return nil }
        return zip(thicknessGrid.positions, mask).map { $1 == solved.ice ? stream.surface(at: $0) : nil }
    }

    /// C² [Pa] at the cells of the velocity grid, of a stream; nil off it.
    public func frictions() -> [Double?]? {
        guard let stream = solved.shelf as? any SyntheticStream else { return nil }
        return zip(velocityGrid.positions, velocityPlaces).map { $1 == nil ? nil : stream.friction(at: $0) }
    }

    /// Whether the nearest point of the shelf's outline lies on the front, between its corners: the coast goes on
    /// square to the front where the walls end, as in a bay.
    private static func isBeyondFront(_ position: Position, of mesh: Mesh) -> Bool {
        var front = Double.infinity
        var walls = Double.infinity
        for side in Mesh.Side.allCases {
            // Outlines are smooth on the scale of a few elements, so nodes alone tell the distance well enough.
            var nodes = mesh.nodes(on: side)[...]
            if side == .front { nodes = nodes.dropFirst().dropLast() }
            for node in nodes {
                let away = distance(mesh.nodes[node], position)
                if side == .front { front = min(front, away) } else { walls = min(walls, away) }
            }
        }
        return front < walls
    }

    /// The cells of a product's grid (x ascending from −origin, y descending from origin) around a mesh; nil where the
    /// margin would leave the product.
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
    /// Centres of the cells, row-major.
    var positions: [Position] {
        y.flatMap { y in x.map { x in Position(x, y) } }
    }
}
