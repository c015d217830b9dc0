import Fields
import ForwardModel
import Testing

@Suite("Shelves with an exact solution")
struct ExactShelfTests {
    private static let constants = Constants()
    private static let thickness = 400.0

    /// A bent mesh of 40 km × 30 km, so that no element is a rectangle.
    private static let bentMesh = Mesh(columns: 12, rows: 9) { column, row in
        let (s, t) = (Double(column) / 12, Double(row) / 9)
        return Position(40_000 * s + 5_000 * t * t, 30_000 * t - 4_000 * s * t)
    }

    /// The largest error of nodal velocities, relative to the largest speed.
    private static func error(of field: VelocityField, from exact: (Position) -> Velocity) -> Double {
        let misses = zip(field.mesh.nodes, field.nodal).map { length($1 - exact($0)) }
        return misses.reduce(0, max) / field.mesh.nodes.map { length(exact($0)) }.reduce(0, max)
    }

    /// 2 h (μ_h + 2 μ_v) ε = ½ ρ g (1 − ρ/ρ_w) h² in both directions (Weertman 1957; isotropic: ε = ρ g (1 − ρ/ρ_w) h / 12 μ).
    @Test(
        "an unconfined shelf of uniform thickness spreads at the analytic rate",
        arguments: [Viscosity(isotropic: 6e13), Viscosity(horizontal: 9e13, vertical: 4e13)])
    func unconfined(viscosity: Viscosity) throws {
        let rate =
            Self.constants.buoyantSpecificWeight * Self.thickness
            / (4 * (viscosity.horizontal + 2 * viscosity.vertical))
        let exact = { (position: Position) in rate * position }
        let mesh = Self.bentMesh
        var prescribed = [Velocity?](repeating: nil, count: mesh.nodes.count)
        for node in mesh.nodes(on: .inflow) { prescribed[node] = exact(mesh.nodes[node]) }
        let field = try ShallowShelfSystem(
            mesh: mesh, thickness: { _ in Self.thickness }, viscosity: { _ in viscosity }, prescribed: prescribed
        ).solve()
        // The solution is linear, so the elements represent it; the error is rounding times the condition number.
        #expect(Self.error(of: field, from: exact) < 1e-10)
    }

    /// 4 μ h ε = ½ ρ g (1 − ρ/ρ_w) h² with no flow across.
    @Test("a shelf between parallel walls that slip stretches at the analytic rate")
    func betweenSlippingWalls() throws {
        let viscosity = 6e13
        let rate = Self.constants.buoyantSpecificWeight * Self.thickness / (8 * viscosity)
        let exact = { (position: Position) in Velocity(rate * position.x, 0) }
        let mesh = Mesh(columns: 12, rows: 9) { column, row in
            Position(40_000 * Double(column) / 12, 30_000 * Double(row) / 9)
        }
        var prescribed = [Velocity?](repeating: nil, count: mesh.nodes.count)
        for side in [Mesh.Side.inflow, .leftWall, .rightWall] {
            for node in mesh.nodes(on: side) { prescribed[node] = exact(mesh.nodes[node]) }
        }
        let field = try ShallowShelfSystem(
            mesh: mesh, thickness: { _ in Self.thickness }, viscosity: { _ in Viscosity(isotropic: viscosity) },
            prescribed: prescribed
        ).solve()
        #expect(Self.error(of: field, from: exact) < 1e-10)
    }

    @Test("a shelf that is symmetric about its middle flows symmetrically")
    func symmetric() throws {
        let rows = 16
        let mesh = Mesh(columns: 20, rows: rows) { column, row in
            Position(3_000 * Double(column), 3_000 * Double(row - rows / 2))
        }
        var prescribed = [Velocity?](repeating: nil, count: mesh.nodes.count)
        for side in [Mesh.Side.inflow, .leftWall, .rightWall] {
            for node in mesh.nodes(on: side) { prescribed[node] = .zero }
        }
        let field = try ShallowShelfSystem(
            mesh: mesh, thickness: { 500 - $0.x / 400 + $0.y * $0.y / 1e7 },
            viscosity: { Viscosity(isotropic: 8e13 - 6e4 * $0.y * $0.y) }, prescribed: prescribed
        ).solve()
        let fastest = field.nodal.map(length).reduce(0, max)
        #expect(fastest > 100 / Constants.secondsPerYear)
        for column in 0...mesh.columns {
            for row in 0...rows {
                let one = field.nodal[mesh.node(column, row)]
                let other = field.nodal[mesh.node(column, rows - row)]
                // Rounding times the condition number, which is about (elements across)².
                #expect(length(one - Velocity(other.x, -other.y)) < 1e-11 * fastest)
            }
        }
    }

    // MARK: Unsolvable problems

    @Test("a shelf that is held nowhere is refused")
    func heldNowhere() {
        let mesh = Self.bentMesh
        #expect(throws: PlainFailure.self) {
            try ShallowShelfSystem(
                mesh: mesh, thickness: { _ in 400 }, viscosity: { _ in Viscosity(isotropic: 6e13) },
                prescribed: [Velocity?](repeating: nil, count: mesh.nodes.count)
            ).solve()
        }
    }

    @Test("a viscosity of zero is refused with its place", arguments: [0, -1e13, Double.nan])
    func badViscosity(value: Double) {
        let mesh = Self.bentMesh
        let error = #expect(throws: PlainFailure.self) {
            try ShallowShelfSystem(
                mesh: mesh, thickness: { _ in 400 }, viscosity: { Viscosity(isotropic: $0.x > 20_000 ? value : 6e13) },
                prescribed: [Velocity?](repeating: .zero, count: mesh.nodes.count)
            ).solve()
        }
        let place = error?.explanation.firstMatch(of: /x = ([0-9.]+) m/)
        #expect(place.flatMap { Double($0.1) } ?? 0 > 20_000, "\(String(describing: error))")
    }

    @Test("a mesh that is wound the wrong way is refused")
    func folded() {
        let mesh = Mesh(columns: 4, rows: 4) { column, row in Position(1_000 * Double(column), -1_000 * Double(row)) }
        let error = #expect(throws: PlainFailure.self) {
            try ShallowShelfSystem(
                mesh: mesh, thickness: { _ in 400 }, viscosity: { _ in Viscosity(isotropic: 6e13) },
                prescribed: [Velocity?](repeating: .zero, count: mesh.nodes.count)
            ).solve()
        }
        #expect(error?.explanation.contains("folded") == true)
    }
}

func length(_ vector: SIMD2<Double>) -> Double { (vector * vector).sum().squareRoot() }
