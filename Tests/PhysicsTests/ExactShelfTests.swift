import Glibc
import Physics
import TestSupport
import Testing

@Suite("A shelf that is known exactly")
struct ExactShelfTests {
    private static let angles = (0..<24).map { 2 * Double.pi * Double($0) / 24 + 0.1 }

    /// Weertman (1957): an unconfined shelf of uniform thickness spreads equally, 12 μ ε = h in nondimensional form.
    @Test("unconfined and spreading evenly, meets the front's condition for normals in any direction")
    func unconfinedShelf() {
        let (thickness, viscosity) = (1.3, 0.7)
        let rate = thickness / (12 * viscosity)
        // Shear-free in any axes, and a rigid rotation causes no strain: u = ε x − ω y, v = ω x + ε y.
        for spin in [0, 0.8] {
            let shelf = LocalShelf(
                gradient: [[rate, -spin], [spin, rate]], thickness: thickness, viscosity: viscosity)
            #expect(shelf.point().residuals(ShallowShelf()) == [0, 0])
            for angle in Self.angles {
                let front = shelf.point(normal: [cos(angle), sin(angle)]).residuals(CalvingFrontStress())
                // Three terms of order one, each with a few rounding errors.
                #expect(norm(front) < 8 * .ulpOfOne, "normal at \(angle)")
            }
        }
        let tooFast = LocalShelf(gradient: [[1.01 * rate, 0], [0, rate]], thickness: thickness, viscosity: viscosity)
        #expect(abs(tooFast.point(normal: [1, 0]).residuals(CalvingFrontStress())[0]) > 1e-3)
    }

    /// u = ε₁ x, v = ε₂ y with 2 μ (2 ε₁ + ε₂) = ½ h: the front is normal to the first axis, which has any direction.
    @Test(
        "spreading unequally along two axes, meets the condition at the front across the first, whichever way it points"
    )
    func generalSpreading() {
        let (thickness, viscosity) = (0.9, 1.7)
        for second in [-0.05, 0, 0.02, 0.3] {
            let first = (thickness / (4 * viscosity) - second) / 2
            for angle in Self.angles {
                let shelf = LocalShelf(
                    gradient: [[first, 0], [0, second]], thickness: thickness, viscosity: viscosity
                ).turned(by: angle)
                let normal = [cos(angle), sin(angle)]
                // Sums of products of sines: some tens of rounding errors of terms below one.
                #expect(norm(shelf.point(normal: normal).residuals(CalvingFrontStress())) < 32 * .ulpOfOne)
                #expect(norm(shelf.point().residuals(ShallowShelf())) < 32 * .ulpOfOne)
                // No shear along the front, but another stress unless the spreading is equal.
                let across = shelf.point(normal: LocalShelf.turn(normal, by: .pi / 2)).residuals(CalvingFrontStress())
                #expect(abs(norm(across) - 2 * viscosity * abs(first - second)) < 32 * .ulpOfOne)
            }
        }
    }

    /// Between frictionless walls N_xx = 4 μ h u_x = ½ h² everywhere, so that u_x = h / 8 μ for any thickness and viscosity.
    @Test("between frictionless walls, of any thickness and viscosity, is in balance and meets a front anywhere")
    func channel() {
        for seed in UInt64(1)...20 {
            var numbers = SeededNumbers(seed: seed)
            let (h, hx, mu, mux) = (numbers.next(0.5..<2), numbers.next(), numbers.next(0.5..<2), numbers.next())
            let ux = h / (8 * mu)
            let uxx = (hx - h * mux / mu) / (8 * mu)
            let angle = Self.angles[Int(seed) % Self.angles.count]
            let shelf = LocalShelf(
                gradient: [[ux, 0], [0, 0]], hessian: [[[uxx, 0], [0, 0]], [[0, 0], [0, 0]]], thickness: h,
                thicknessSlope: [hx, 0], viscosity: mu, viscositySlope: [mux, 0]
            ).turned(by: angle)
            // Some tens of rounding errors of terms up to five.
            #expect(norm(shelf.point().residuals(ShallowShelf())) < 128 * .ulpOfOne)
            let front = shelf.point(normal: [cos(angle), sin(angle)]).residuals(CalvingFrontStress())
            #expect(norm(front) < 32 * .ulpOfOne)
        }
    }
}

@Suite("The equations of a shelf")
struct EquationSymmetryTests {
    private static func randomShelf(seed: UInt64) -> LocalShelf {
        var numbers = SeededNumbers(seed: seed)
        func symmetric() -> [[Double]] {
            let (xx, xy, yy) = (numbers.next(), numbers.next(), numbers.next())
            return [[xx, xy], [xy, yy]]
        }
        return LocalShelf(
            gradient: [numbers.vector(2), numbers.vector(2)], hessian: [symmetric(), symmetric()],
            thickness: numbers.next(0.5..<2), thicknessSlope: numbers.vector(2), viscosity: numbers.next(0.5..<2),
            viscositySlope: numbers.vector(2))
    }

    /// Isotropic ice has no preferred axes; a wrong coefficient among 4, 2 and 1 would break this.
    @Test("give a residual that turns with the axes", arguments: UInt64(1)...20)
    func residualsAreVectors(seed: UInt64) {
        let shelf = Self.randomShelf(seed: seed)
        let angle = 0.3 * Double(seed)
        let turned = shelf.turned(by: angle)
        let interior = turned.point().residuals(ShallowShelf())
        // Some tens of rounding errors of terms up to ten.
        #expect(
            relativeError(interior, LocalShelf.turn(shelf.point().residuals(ShallowShelf()), by: angle)) < 1e-13)
        let normal = [cos(2.0), sin(2.0)]
        let front = turned.point(normal: LocalShelf.turn(normal, by: angle)).residuals(CalvingFrontStress())
        #expect(
            relativeError(
                front, LocalShelf.turn(shelf.point(normal: normal).residuals(CalvingFrontStress()), by: angle))
                < 1e-13)
    }

    @Test("do not see a rigid rotation")
    func rigidRotation() {
        let shelf = Self.randomShelf(seed: 5)
        var spinning = shelf
        spinning.gradient[0][1] -= 0.25
        spinning.gradient[1][0] += 0.25
        #expect(
            relativeError(spinning.point().residuals(ShallowShelf()), shelf.point().residuals(ShallowShelf())) < 1e-14)
        let normal = [0.6, 0.8]
        #expect(
            relativeError(
                spinning.point(normal: normal).residuals(CalvingFrontStress()),
                shelf.point(normal: normal).residuals(CalvingFrontStress())) < 1e-14)
    }

    @Test("name as many residuals as they give", arguments: EquationCatalog.models.indices)
    func names(number: Int) {
        let model = EquationCatalog.models[number]
        var point = Self.randomShelf(seed: 3).point(normal: [1, 0])
        for quantity in model.unknowns where point.channels[quantity] == nil {
            point.channels[quantity] = [0.1, 0.2, 0.3, .nan, .nan, .nan]
        }
        for equation in model.interior + [model.front, model.prior].compactMap({ $0 }) {
            #expect(point.evaluate(equation.residuals).count == equation.residualNames.count)
        }
        #expect(EquationCatalog.model(named: model.name)?.name == model.name)
    }
}
