import Fields
import ForwardModel
import Foundation
import Testing

/// A chosen velocity becomes the solution through an extra force f = grad P − div N. It satisfies the front condition:
/// at the front u_y + v_x = 0, and the viscosity is chosen so that 2 μ (2 u_x + v_y) = ½ ρ g (1 − ρ/ρ_w) h.
@Suite("A manufactured solution")
struct ManufacturedSolutionTests {
    private static let constants = Constants()
    private static let lengthX = 40_000.0
    private static let lengthY = 30_000.0
    private static let speed = 1e-5

    private static func velocity(_ position: Position) -> Velocity {
        let (x, y) = (position.x / lengthX, 2 * .pi * position.y / lengthY)
        return speed
            * Velocity(x + 0.2 * cos(.pi * x / 2) * cos(y), 0.1 * position.y / lengthY + 0.1 * cos(.pi * x) * sin(y))
    }

    /// u_x, u_y, v_x, v_y, derived by hand.
    private static func gradient(_ position: Position) -> (ux: Double, uy: Double, vx: Double, vy: Double) {
        let (x, y) = (position.x / lengthX, 2 * .pi * position.y / lengthY)
        return (
            speed / lengthX * (1 - 0.1 * .pi * sin(.pi * x / 2) * cos(y)),
            -speed / lengthY * 0.4 * .pi * cos(.pi * x / 2) * sin(y),
            -speed / lengthX * 0.1 * .pi * sin(.pi * x) * sin(y),
            speed / lengthY * (0.1 + 0.2 * .pi * cos(.pi * x) * cos(y))
        )
    }

    private static func thickness(_ position: Position) -> Double {
        400 - 100 * position.x / lengthX + 30 * cos(.pi * position.y / lengthY)
    }

    /// `ratio`: of the vertical viscosity to the horizontal one.
    private static func viscosity(_ position: Position, ratio: Double) -> Viscosity {
        let atFront = gradient(Position(lengthX, position.y))
        let front =
            constants.buoyantSpecificWeight * thickness(position)
            / (4 * (atFront.ux + ratio * (atFront.ux + atFront.vy)))
        let horizontal = front * (1 + 0.3 * sin(.pi * position.x / lengthX))
        return Viscosity(horizontal: horizontal, vertical: ratio * horizontal)
    }

    /// N − P [Pa m]; its columns act on planes normal to x and to y.
    private static func stress(_ position: Position, ratio: Double) -> (xx: Double, xy: Double, yy: Double) {
        let g = gradient(position)
        let h = thickness(position)
        let mu = viscosity(position, ratio: ratio)
        let even = 2 * mu.vertical * h * (g.ux + g.vy) - constants.buoyantSpecificWeight * h * h / 2
        return (
            2 * mu.horizontal * h * g.ux + even, mu.horizontal * h * (g.uy + g.vx), 2 * mu.horizontal * h * g.vy + even
        )
    }

    /// −div (N − P) by differences of fourth order; their error, about 1e-9 of the force, is far below that of the elements.
    private static func force(_ position: Position, ratio: Double) -> SIMD2<Double> {
        let step = 40.0
        var divergence = SIMD2<Double>.zero
        for (offset, weight) in [(-2.0, 1.0), (-1, -8), (1, 8), (2, -1)] {
            let alongX = stress(position + Position(offset * step, 0), ratio: ratio)
            let alongY = stress(position + Position(0, offset * step), ratio: ratio)
            divergence += weight / (12 * step) * SIMD2(alongX.xx + alongY.xy, alongX.xy + alongY.yy)
        }
        return -divergence
    }

    private static func error(refinement: Int, ratio: Double, drag: Double = 0) throws -> Double {
        let (columns, rows) = (8 * refinement, 6 * refinement)
        let mesh = Mesh(columns: columns, rows: rows) { column, row in
            let (s, t) = (Double(column) / Double(columns), Double(row) / Double(rows))
            let bend = 0.04 * sin(.pi * s) * sin(2 * .pi * t)
            return Position(lengthX * (s + bend), lengthY * (t + bend))
        }
        var prescribed = [Velocity?](repeating: nil, count: mesh.nodes.count)
        for side in [Mesh.Side.inflow, .leftWall, .rightWall] {
            for node in mesh.nodes(on: side) { prescribed[node] = velocity(mesh.nodes[node]) }
        }
        let field = try ShallowShelfSystem(
            mesh: mesh, constants: constants, thickness: thickness, viscosity: { viscosity($0, ratio: ratio) },
            prescribed: prescribed, bodyForce: { force($0, ratio: ratio) + drag * velocity($0) }, drag: { _ in drag }
        ).solve()
        let squares = zip(mesh.nodes, field.nodal).map { node, found in
            let miss = found - velocity(node)
            return (miss * miss).sum()
        }
        return (squares.reduce(0, +) / Double(squares.count)).squareRoot() / speed
    }

    @Test(
        "is approached at second order when the mesh is refined, of isotropic ice and of others",
        arguments: [1, 0.6, 1.5])
    func convergesAtSecondOrder(ratio: Double) throws {
        let errors = try [4, 8, 16].map { try Self.error(refinement: $0, ratio: ratio) }
        for (coarse, fine) in zip(errors, errors.dropFirst()) {
            // Bilinear elements; a wrong term or boundary condition gives a rate of 0, a wrong quadrature 1.
            let rate = log2(coarse / fine)
            #expect(rate > 1.9 && rate < 2.15, "errors \(errors)")
        }
        #expect(errors[2] < 1e-4)
    }

    @Test("is approached at second order on a bed that holds it back")
    func convergesOnABed() throws {
        // 1e4 Pa at the given speed, as large as the shelf's driving stress.
        let errors = try [4, 8, 16].map { try Self.error(refinement: $0, ratio: 1, drag: 1e4 / Self.speed) }
        for (coarse, fine) in zip(errors, errors.dropFirst()) {
            let rate = log2(coarse / fine)
            #expect(rate > 1.9 && rate < 2.15, "errors \(errors)")
        }
    }

    @Test("is reproduced between the nodes, at fourth order of the spacing")
    func interpolatesAtFourthOrder() throws {
        let error = { (refinement: Int) -> Double in
            let (columns, rows) = (8 * refinement, 6 * refinement)
            let mesh = Mesh(columns: columns, rows: rows) { column, row in
                let (s, t) = (Double(column) / Double(columns), Double(row) / Double(rows))
                return Position(Self.lengthX * s * (1 + 0.1 * t * t), Self.lengthY * (t - 0.1 * s * s))
            }
            let field = VelocityField(mesh: mesh, nodal: mesh.nodes.map(Self.velocity))
            var largest = 0.0
            for i in 0..<20 {
                for j in 0..<20 {
                    let (s, t) = ((Double(i) + 0.37) / 20, (Double(j) + 0.61) / 20)
                    let position = Position(Self.lengthX * s * (1 + 0.1 * t * t), Self.lengthY * (t - 0.1 * s * s))
                    let place = try #require(field.place(of: position))
                    largest = max(largest, length(field.velocity(at: place) - Self.velocity(position)) / Self.speed)
                }
            }
            return largest
        }
        let (coarse, fine) = (try error(2), try error(4))
        #expect(log2(coarse / fine) > 3.5, "errors \(coarse), \(fine)")
        #expect(fine < 1e-4)
    }

    @Test("is not given outside of the mesh")
    func nothingOutside() {
        let mesh = Mesh(columns: 8, rows: 6) { Position(1_000 * Double($0), 1_000 * Double($1)) }
        let field = VelocityField(mesh: mesh, nodal: mesh.nodes)
        for outside in [
            Position(-1, 3_000), Position(8_001, 3_000), Position(4_000, -1), Position(4_000, 6_001),
            Position(1e6, 1e6),
        ] {
            #expect(field.place(of: outside) == nil)
        }
        for inside in [Position(0, 0), Position(8_000, 6_000), Position(1, 5_999)] {
            #expect(field.place(of: inside) != nil)
        }
    }
}
