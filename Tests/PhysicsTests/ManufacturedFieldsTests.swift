import Fields
import Glibc
import Physics
import Pointwise
import TestSupport
import Testing

/// Smooth manufactured fields. Their residual is computed twice: by the program from exact channels, and from values alone by
/// differences of the published stresses.
private struct MadeUpFields {
    static let maps: [Quantity: OutputMap] = [
        .velocityX: .affine(offset: 0.4, scale: 1.7), .velocityY: .affine(offset: -0.2, scale: 0.6),
        .thickness: .affine(offset: 1.2, scale: -0.5), .viscosity: .exponential,
        .massBalance: .affine(offset: 0, scale: 2), .horizontalViscosity: .exponential,
        .verticalViscosity: .exponential, .surface: .affine(offset: 1.5, scale: 0.7), .friction: .exponential,
    ]
    /// The network's outputs.
    let outputs: [Quantity: Waves]

    init(seed: UInt64) {
        outputs = Dictionary(
            uniqueKeysWithValues: Quantity.allCases.map { ($0, Waves(seed: 10 * seed + UInt64($0.rawValue))) })
    }

    func point(_ x: Double, _ y: Double, normal: (Double, Double) = (1, 0)) -> EquationPoint {
        EquationPoint(
            channels: outputs.mapValues { o in
                [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2)].map { o.derivative($0.0, $0.1, x, y) }
            }, maps: Self.maps, columns: ["nx": normal.0, "ny": normal.1])
    }

    // From here on the independent computation: fields by their values, everything else by differences.

    func u(_ x: Double, _ y: Double) -> Double { 0.4 + 1.7 * outputs[.velocityX]!(x, y) }
    func v(_ x: Double, _ y: Double) -> Double { -0.2 + 0.6 * outputs[.velocityY]!(x, y) }
    func h(_ x: Double, _ y: Double) -> Double { 1.2 - 0.5 * outputs[.thickness]!(x, y) }
    func mu(_ x: Double, _ y: Double) -> Double { exp(outputs[.viscosity]!(x, y)) }
    func horizontalViscosity(_ x: Double, _ y: Double) -> Double { exp(outputs[.horizontalViscosity]!(x, y)) }
    func verticalViscosity(_ x: Double, _ y: Double) -> Double { exp(outputs[.verticalViscosity]!(x, y)) }

    static func dx(order: Int = 8, step: Double = 0.02, _ f: (Double, Double) -> Double, _ x: Double, _ y: Double)
        -> Double
    {
        Difference.derivative(order: order, step: step) { f(x + $0, y) }
    }
    static func dy(order: Int = 8, step: Double = 0.02, _ f: (Double, Double) -> Double, _ x: Double, _ y: Double)
        -> Double
    {
        Difference.derivative(order: order, step: step) { f(x, y + $0) }
    }

    /// Depth-integrated membrane stresses.
    func nxx(_ x: Double, _ y: Double) -> Double {
        4 * mu(x, y) * h(x, y) * Self.dx(u, x, y) + 2 * mu(x, y) * h(x, y) * Self.dy(v, x, y)
    }
    func nyy(_ x: Double, _ y: Double) -> Double {
        2 * mu(x, y) * h(x, y) * Self.dx(u, x, y) + 4 * mu(x, y) * h(x, y) * Self.dy(v, x, y)
    }
    func nxy(_ x: Double, _ y: Double) -> Double { mu(x, y) * h(x, y) * (Self.dy(u, x, y) + Self.dx(v, x, y)) }
    /// The deviatoric stress of ice of two viscosities, times the thickness, minus the vertical one: τ_xx = 2 μ_h u_x, τ_zz = −2 μ_v (u_x + v_y), N_xx = h (τ_xx − τ_zz).
    func anisotropic(_ x: Double, _ y: Double) -> (xx: Double, xy: Double, yy: Double) {
        let (ux, uy) = (Self.dx(u, x, y), Self.dy(u, x, y))
        let (vx, vy) = (Self.dx(v, x, y), Self.dy(v, x, y))
        let vertical = -2 * verticalViscosity(x, y) * (ux + vy)
        return (
            h(x, y) * (2 * horizontalViscosity(x, y) * ux - vertical), h(x, y) * horizontalViscosity(x, y) * (uy + vx),
            h(x, y) * (2 * horizontalViscosity(x, y) * vy - vertical)
        )
    }

    /// h h_x as the derivative of ½ h².
    func pressure(_ x: Double, _ y: Double) -> Double { h(x, y) * h(x, y) / 2 }

    func momentum(order: Int, step: Double, _ x: Double, _ y: Double) -> [Double] {
        let d = (
            xx: Self.dx(order: order, step: step, { nxx($0, $1) - pressure($0, $1) }, x, y),
            yy: Self.dy(order: order, step: step, { nyy($0, $1) - pressure($0, $1) }, x, y),
            shearX: Self.dx(order: order, step: step, nxy, x, y), shearY: Self.dy(order: order, step: step, nxy, x, y)
        )
        return [d.xx + d.shearY, d.shearX + d.yy]
    }
}

@Suite("Manufactured fields")
struct ManufacturedFieldsTests {
    private static let places = [(0.0, 0.0), (0.9, -0.3), (-0.5, 1.4), (2.1, 0.7)]

    @Test("have the momentum residual that differences of their stresses give", arguments: UInt64(1)...10)
    func momentum(seed: UInt64) {
        let fields = MadeUpFields(seed: seed)
        for (x, y) in Self.places {
            let exact = fields.point(x, y).residuals(ShallowShelf())
            // Order 8 at 0.02, twice: rounding error 1e-12 for terms of order one to ten.
            #expect(relativeError(fields.momentum(order: 8, step: 0.02, x, y), exact) < 1e-10, "at \(x), \(y)")
        }
    }

    @Test("have differences that approach that residual at the differences' own order", arguments: [2, 4, 6])
    func order(order: Int) {
        let fields = MadeUpFields(seed: 3)
        func error(_ step: Double) -> Double {
            let misses = Self.places.flatMap { x, y in
                zip(fields.momentum(order: order, step: step, x, y), fields.point(x, y).residuals(ShallowShelf())).map {
                    $0 - $1
                }
            }
            return norm(misses)
        }
        // Steps at which the leading error term dominates: the next one is smaller by about the step squared.
        let rate = log2(error(0.1) / error(0.05))
        #expect(abs(rate - Double(order)) < 0.1, "rate \(rate)")
    }

    @Test("have the anisotropic balance that differences of their stresses give", arguments: UInt64(1)...10)
    func anisotropic(seed: UInt64) {
        let fields = MadeUpFields(seed: seed)
        for (number, (x, y)) in Self.places.enumerated() {
            let balance = [
                MadeUpFields.dx({ fields.anisotropic($0, $1).xx - fields.pressure($0, $1) }, x, y)
                    + MadeUpFields.dy({ fields.anisotropic($0, $1).xy }, x, y),
                MadeUpFields.dx({ fields.anisotropic($0, $1).xy }, x, y)
                    + MadeUpFields.dy({ fields.anisotropic($0, $1).yy - fields.pressure($0, $1) }, x, y),
            ]
            // As for isotropic ice.
            #expect(
                relativeError(balance, fields.point(x, y).residuals(AnisotropicShelf())) < 1e-10, "at \(x), \(y)")
            let (nx, ny) = (cos(Double(number)), sin(Double(number)))
            let (n, pressure, h) = (fields.anisotropic(x, y), fields.pressure(x, y), fields.h(x, y))
            let front = [
                ((n.xx - pressure) * nx + n.xy * ny) / h, (n.xy * nx + (n.yy - pressure) * ny) / h,
            ]
            let exact = fields.point(x, y, normal: (nx, ny)).residuals(AnisotropicFrontStress())
            #expect(relativeError(front, exact) < 1e-12)
            #expect(
                fields.point(x, y).residuals(IsotropyPrior())[0].distance(
                    to: log(fields.horizontalViscosity(x, y) / fields.verticalViscosity(x, y))
                )
                .magnitude < 1e-14)
        }
    }

    @Test("have the anisotropic balance of isotropic ice where both viscosities are one", arguments: UInt64(1)...5)
    func isotropicLimit(seed: UInt64) {
        var point = MadeUpFields(seed: seed).point(0.4, -0.2, normal: (0.6, 0.8))
        point.channels[.horizontalViscosity] = point.channels[.viscosity]
        point.channels[.verticalViscosity] = point.channels[.viscosity]
        // Sums of some tens of terms up to ten, in a different order.
        #expect(relativeError(point.residuals(AnisotropicShelf()), point.residuals(ShallowShelf())) < 1e-13)
        #expect(relativeError(point.residuals(AnisotropicFrontStress()), point.residuals(CalvingFrontStress())) < 1e-13)
        #expect(point.residuals(IsotropyPrior()) == [0])
    }

    /// The residual in SI units by the equations of MacAyeal (1989) with ρ g h grad s, and its unit.
    @Test("have the balance of a stream that differences of its stresses in SI units give", arguments: UInt64(1)...10)
    func stream(seed: UInt64) {
        let fields = MadeUpFields(seed: seed)
        let constants = Constants()
        let scales = Scales(length: 30_000, speed: 500 / Constants.secondsPerYear, thickness: 400)
        let (length, speed) = (scales.length, scales.speed)
        func u(_ x: Double, _ y: Double) -> Double { speed * fields.u(x / length, y / length) }
        func v(_ x: Double, _ y: Double) -> Double { speed * fields.v(x / length, y / length) }
        func h(_ x: Double, _ y: Double) -> Double { scales.thickness * fields.h(x / length, y / length) }
        func s(_ x: Double, _ y: Double) -> Double {
            scales.thickness * (1.5 + 0.7 * fields.outputs[.surface]!(x / length, y / length))
        }
        func dx(_ f: (Double, Double) -> Double, _ x: Double, _ y: Double) -> Double {
            MadeUpFields.dx(step: 0.008 * length, f, x, y)
        }
        func dy(_ f: (Double, Double) -> Double, _ x: Double, _ y: Double) -> Double {
            MadeUpFields.dy(step: 0.008 * length, f, x, y)
        }
        /// Depth-integrated membrane stress from the deviatoric stress 2 μ h ε.
        func stress(_ x: Double, _ y: Double) -> (xx: Double, xy: Double, yy: Double) {
            let (xx, yy, xy) = (dx(u, x, y), dy(v, x, y), (dy(u, x, y) + dx(v, x, y)) / 2)
            // Strain rates of incompressible ice: ε_zz = −ε_xx − ε_yy.
            let second = (xx * xx + yy * yy + (xx + yy) * (xx + yy)) / 2 + xy * xy
            let smallest = 1e-6 * (speed / length) * (speed / length)
            let mu = constants.hardness / 2 * cbrt(1 / (second + smallest))
            return (2 * mu * h(x, y) * (2 * xx + yy), 2 * mu * h(x, y) * xy, 2 * mu * h(x, y) * (xx + 2 * yy))
        }
        for (x0, y0) in Self.places {
            let (x, y) = (x0 * length, y0 * length)
            let (ux, vy) = (u(x, y), v(x, y))
            let friction = scales.friction(constants) * exp(fields.outputs[.friction]!(x0, y0))
            let drag = friction * pow(ux * ux + vy * vy + 1e-6 * speed * speed, (constants.slidingExponent - 1) / 2)
            let weight = constants.iceDensity * constants.gravity * h(x, y)
            let balance = [
                dx({ stress($0, $1).xx }, x, y) + dy({ stress($0, $1).xy }, x, y) - drag * ux - weight * dx(s, x, y),
                dx({ stress($0, $1).xy }, x, y) + dy({ stress($0, $1).yy }, x, y) - drag * vy - weight * dy(s, x, y),
            ]
            let unit = scales.momentum(constants)
            let point = fields.point(x0, y0)
            // A power of a possibly small strain rate is less smooth than the fields: errors up to 1e-5 at a step of 0.02.
            #expect(
                relativeError(balance, point.residuals(ShelfyStream()).map { unit * $0 }) < 1e-6, "at \(x0), \(y0)")
            let tau = point.evaluate { [ShelfyStream.basalDrag(at: $0)] }[0]
            #expect(
                abs(unit * tau - drag * (ux * ux + vy * vy + 1e-6 * speed * speed).squareRoot()) < 1e-12 * unit * tau)
        }
    }

    @Test("conserve mass with the balance that differences of their flux give", arguments: UInt64(1)...10)
    func mass(seed: UInt64) {
        let fields = MadeUpFields(seed: seed)
        for (x, y) in Self.places {
            let divergence =
                MadeUpFields.dx({ fields.h($0, $1) * fields.u($0, $1) }, x, y)
                + MadeUpFields.dy({ fields.h($0, $1) * fields.v($0, $1) }, x, y)
            var point = fields.point(x, y)
            let balance = 2 * fields.outputs[.massBalance]!(x, y)
            // Order 8 at 0.02: rounding error 1e-13.
            #expect(abs(point.residuals(MassConservation())[0] - (divergence - balance)) < 1e-12, "at \(x), \(y)")
            point.channels[.massBalance]![0] = divergence / 2
            #expect(abs(point.residuals(MassConservation())[0]) < 1e-12, "at \(x), \(y)")
        }
    }

    @Test("have the front stress N n − ½ h² n, divided by h", arguments: UInt64(1)...10)
    func frontStress(seed: UInt64) {
        let fields = MadeUpFields(seed: seed)
        for (number, (x, y)) in Self.places.enumerated() {
            let angle = Double(seed) + Double(number)
            let (nx, ny) = (cos(angle), sin(angle))
            let (pressure, h) = (fields.pressure(x, y), fields.h(x, y))
            let stress = [
                ((fields.nxx(x, y) - pressure) * nx + fields.nxy(x, y) * ny) / h,
                (fields.nxy(x, y) * nx + (fields.nyy(x, y) - pressure) * ny) / h,
            ]
            let exact = fields.point(x, y, normal: (nx, ny)).residuals(CalvingFrontStress())
            // Order 8 at 0.02 (see `Difference`).
            #expect(relativeError(stress, exact) < 1e-11)
        }
    }
}

@Suite("An output map")
struct OutputMapTests {
    @Test(
        "gives jets that are the differences of the mapped field",
        arguments: [OutputMap.exponential, .affine(offset: 0.3, scale: -2.5), .affine(offset: 0, scale: 1)])
    func jets(map: OutputMap) {
        let o = Waves(seed: 8)
        func field(_ x: Double, _ y: Double) -> Double {
            switch map {
            case .exponential: exp(o(x, y))
            case .affine(let offset, let scale): offset + scale * o(x, y)
            }
        }
        for (x, y) in [(0.2, 0.5), (-1, 0.3), (1.5, -0.7)] {
            let channels = [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2)].map { o.derivative($0.0, $0.1, x, y) }
            let point = EquationPoint(channels: [.viscosity: channels], maps: [.viscosity: map])
            let jets = point.evaluate { point in
                let jet2 = point.jet2(.viscosity)
                let jet1 = point.jet1(.viscosity)
                return [
                    point.value(.viscosity), jet1.value, jet2.value, jet1.dx, jet2.dx.value, jet1.dy, jet2.dy.value,
                    jet2.dx.dx, jet2.dx.dy, jet2.dy.dx, jet2.dy.dy,
                ]
            }
            func d(_ f: @escaping (Double, Double) -> Double, _ a: Double, _ b: Double) -> (Double, Double) -> Double {
                { x, y in Difference.derivative(step: 0.02) { f(x + a * $0, y + b * $0) } }
            }
            let (dx, dy) = (d(field, 1, 0), d(field, 0, 1))
            let (value, xSlope, ySlope) = (field(x, y), dx(x, y), dy(x, y))
            let (xx, xy, yy) = (d(dx, 1, 0)(x, y), d(dx, 0, 1)(x, y), d(dy, 0, 1)(x, y))
            let differences = [value, value, value, xSlope, xSlope, ySlope, ySlope, xx, xy, xy, yy]
            // Order 8 at 0.02, twice: rounding error 1e-12.
            for (jet, difference) in zip(jets, differences) { #expect(abs(jet - difference) < 1e-11) }
        }
    }

    @Test("asks the network for no more than the order of the jet")
    func declares() {
        func derivatives(_ body: (FieldPoint) -> [Scalar]) -> Derivatives {
            Program.recording { tracer in
                body(
                    FieldPoint(
                        tracer: tracer, unknowns: Quantity.allCases, maps: EquationPoint.plainMaps,
                        columns: ["nx", "ny"]))
            }.derivatives
        }
        #expect(derivatives { [$0.value(.viscosity)] } == .none)
        #expect(derivatives { [$0.jet1(.thickness).dx] } == .first)
        #expect(derivatives { [$0.jet2(.velocityX).dx.dy] } == .second)
        #expect(derivatives { CalvingFrontStress().residuals(at: $0) } == .first)
        #expect(derivatives { ShallowShelf().residuals(at: $0) } == .second)
    }
}
