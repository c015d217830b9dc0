import Fields
import Glibc
import Physics
import Pointwise

/// Values for everything that an equation may read at a point: the channels of the network's outputs, and columns.
struct EquationPoint {
    /// Channels (value, x, y, xx, xy, yy) of each quantity's network output.
    var channels: [Quantity: [Double]]
    var maps: [Quantity: OutputMap] = plainMaps
    var columns: [String: Double] = [:]

    /// Identity output maps, except for positive fields, which are exponentials.
    static let plainMaps: [Quantity: OutputMap] = [
        .velocityX: .affine(offset: 0, scale: 1), .velocityY: .affine(offset: 0, scale: 1),
        .thickness: .affine(offset: 0, scale: 1), .viscosity: .exponential,
        .massBalance: .affine(offset: 0, scale: 1), .horizontalViscosity: .exponential,
        .verticalViscosity: .exponential, .surface: .affine(offset: 0, scale: 1), .friction: .exponential,
        .hardness: .exponential,
    ]

    /// Constants at scales of 30 km, 500 m yr⁻¹ and 400 m.
    static let numbers = PhysicalNumbers(
        Constants(), Scales(length: 30_000, speed: 500 / Constants.secondsPerYear, thickness: 400))

    /// Traces `body` and evaluates it at this point.
    func evaluate(_ body: (FieldPoint) -> [Scalar]) -> [Double] {
        let names = columns.keys.sorted()
        let program = Program.recording { tracer in
            body(
                FieldPoint(
                    tracer: tracer, unknowns: Quantity.allCases, maps: maps, columns: names, numbers: Self.numbers))
        }
        let inputs = program.inputs.map { input in
            switch input {
            case .channel(let output, let channel): channels[Quantity.allCases[output]]![channel.rawValue]
            case .column(let number): names.isEmpty ? 0 : columns[names[number]]!
            }
        }
        return program.evaluate(inputs).outputs
    }

    func residuals(_ equation: some Equation) -> [Double] { evaluate(equation.residuals) }
}

/// Velocity gradient and Hessians, thickness and viscosity at a point, independent of networks and maps.
struct LocalShelf {
    /// G[i][j] = ∂ velocity i / ∂ coordinate j
    var gradient: [[Double]]
    /// H[i][j][k] = ∂² velocity i / ∂j ∂k
    var hessian: [[[Double]]] = [[[0, 0], [0, 0]], [[0, 0], [0, 0]]]
    var thickness: Double
    var thicknessSlope: [Double] = [0, 0]
    var viscosity: Double
    var viscositySlope: [Double] = [0, 0]

    /// The same shelf in rotated axes: the old x axis points along the angle.
    func turned(by angle: Double) -> LocalShelf {
        let r = Self.rotation(angle)
        let range = 0..<2
        func sum(_ term: (Int) -> Double) -> Double { term(0) + term(1) }
        var turned = self
        turned.gradient = range.map { i in
            range.map { j in sum { a in sum { b in r[i][a] * r[j][b] * gradient[a][b] } } }
        }
        turned.hessian = range.map { i in
            range.map { j in
                range.map { k in
                    sum { a in sum { b in sum { c in r[i][a] * r[j][b] * r[k][c] * hessian[a][b][c] } } }
                }
            }
        }
        turned.thicknessSlope = Self.turn(thicknessSlope, by: angle)
        turned.viscositySlope = Self.turn(viscositySlope, by: angle)
        return turned
    }

    static func turn(_ vector: [Double], by angle: Double) -> [Double] {
        rotation(angle).map { $0[0] * vector[0] + $0[1] * vector[1] }
    }

    private static func rotation(_ angle: Double) -> [[Double]] {
        [[cos(angle), -sin(angle)], [sin(angle), cos(angle)]]
    }

    /// Network outputs that represent this shelf; velocities themselves are in no equation, and are NaN here.
    func point(normal: [Double] = [.nan, .nan]) -> EquationPoint {
        func velocity(_ i: Int) -> [Double] {
            [.nan, gradient[i][0], gradient[i][1], hessian[i][0][0], hessian[i][0][1], hessian[i][1][1]]
        }
        return EquationPoint(
            channels: [
                .velocityX: velocity(0), .velocityY: velocity(1),
                .thickness: [thickness, thicknessSlope[0], thicknessSlope[1], .nan, .nan, .nan],
                .viscosity: [
                    log(viscosity), viscositySlope[0] / viscosity, viscositySlope[1] / viscosity, .nan, .nan, .nan,
                ],
            ], columns: ["nx": normal[0], "ny": normal[1]])
    }
}
