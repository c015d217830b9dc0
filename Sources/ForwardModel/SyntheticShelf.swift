import Fields
import Foundation

/// A synthetic ice shelf with a known answer: shape, thickness, viscosity and boundary velocities.
///
/// The shelf is the image of the unit square: `along` runs with the flow from the inflow (0) to the calving front (1),
/// `across` from the right wall (0) to the left wall (1), as seen when looking along the flow. A new shelf is one
/// file with a conforming type, and a line in `ShelfCatalog`.
public protocol SyntheticShelf: Sendable {
    /// Its name in `--case`, lower-case.
    var name: String { get }
    /// The attribute `title` of the files.
    var title: String { get }
    /// One or two sentences with the parameters, the attribute `comment` of the files.
    var description: String { get }

    /// Position of a point of the unit square [m, EPSG:3031].
    func position(along: Double, across: Double) -> Position
    /// Ice thickness [m].
    func thickness(at position: Position) -> Double
    /// Effective viscosity [Pa s].
    func viscosity(at position: Position) -> Viscosity
    /// Velocity [m s⁻¹] on inflow (along 0), right wall (across 0) and left wall (across 1).
    func boundaryVelocity(along: Double, across: Double) -> Velocity
}

/// All synthetic shelves of `pinn-sample`.
public enum ShelfCatalog {
    public static let all: [any SyntheticShelf] = [
        WedgeShelf(), MarginShelf.broad, MarginShelf.thin, CrevassedShelf(), SlidingStream(), FlowLineShelf(),
    ]

    public static func shelf(named name: String) throws(PlainFailure) -> any SyntheticShelf {
        guard let shelf = all.first(where: { $0.name == name }) else {
            throw PlainFailure(
                .usage,
                "no shelf is named \(quoted(name)); expected one of \(all.map { quoted($0.name) }.joined(separator: ", "))"
            )
        }
        return shelf
    }
}

/// A synthetic shelf with the velocity solved from its viscosity and thickness.
public struct SolvedShelf: Sendable {
    public let shelf: any SyntheticShelf
    public let constants: Constants
    /// Largest edge of an element along the sides of the shelf [m].
    public let spacing: Double
    public let field: VelocityField

    public var mesh: Mesh { field.mesh }

    /// Bytes that solving takes: the matrix, and a mesh, forces and velocities at its nodes.
    public static func byteCount(of shelf: any SyntheticShelf, spacing: Double) throws(PlainFailure) -> Int {
        let mesh = mesh(of: shelf, spacing: spacing)
        return try ShallowShelfSystem.matrixBytes(mesh) + 256 * mesh.nodes.count
    }

    /// Solves on a mesh whose elements are at most `spacing` metres long.
    public init(
        _ shelf: any SyntheticShelf, spacing: Double, constants: Constants = Constants()
    ) throws(PlainFailure) {
        precondition(spacing > 0)
        let mesh = SolvedShelf.mesh(of: shelf, spacing: spacing)
        var prescribed = [Velocity?](repeating: nil, count: mesh.nodes.count)
        for column in 0...mesh.columns {
            for row in 0...mesh.rows where column == 0 || row == 0 || row == mesh.rows {
                prescribed[mesh.node(column, row)] = shelf.boundaryVelocity(
                    along: Double(column) / Double(mesh.columns), across: Double(row) / Double(mesh.rows))
            }
        }
        self.shelf = shelf
        self.constants = constants
        self.spacing = spacing
        if let stream = shelf as? any SyntheticStream {
            field = try SolvedStream.solve(stream, on: mesh, constants, prescribed: prescribed)
        } else {
            field = try ShallowShelfSystem(
                mesh: mesh, constants: constants, thickness: shelf.thickness(at:), viscosity: shelf.viscosity(at:),
                prescribed: prescribed
            ).solve()
        }
    }

    /// The kind of ice.
    public var ice: IceMask { shelf is any SyntheticStream ? .groundedIce : .floatingIce }

    /// Effective viscosity [Pa s].
    func viscosity(at position: Position, _ place: VelocityField.Place) -> Viscosity {
        guard shelf is any SyntheticStream else { return shelf.viscosity(at: position) }
        return Viscosity(isotropic: SolvedStream.viscosity(of: field, at: place, constants))
    }

    private static func mesh(of shelf: any SyntheticShelf, spacing: Double) -> Mesh {
        let steps = 200
        let fractions = (0...steps).map { Double($0) / Double(steps) }
        let length = { (side: [Position]) in zip(side, side.dropFirst()).map { distance($0, $1) }.reduce(0, +) }
        let alongLength = [0, 0.5, 1].map { t in length(fractions.map { shelf.position(along: $0, across: t) }) }
        let acrossLength = [0, 0.5, 1].map { s in length(fractions.map { shelf.position(along: s, across: $0) }) }
        let columns = max(3, Int((alongLength.reduce(0, max) / spacing).rounded(.up)))
        let rows = max(3, Int((acrossLength.reduce(0, max) / spacing).rounded(.up)))
        return Mesh(columns: columns, rows: rows) { column, row in
            shelf.position(along: Double(column) / Double(columns), across: Double(row) / Double(rows))
        }
    }
}

/// A bell of a given width, 1 where the distance is 0.
func bump(_ distance: Double, _ width: Double) -> Double { exp(-(distance / width) * (distance / width)) }

/// Distance of two positions [m].
func distance(_ a: Position, _ b: Position) -> Double {
    ((a - b) * (a - b)).sum().squareRoot()
}
