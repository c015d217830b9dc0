import Fields
import Glibc
import Physics
import TestSupport
import Testing

@Suite("A flow line that is known exactly")
struct FlowLineTests {
    /// Network outputs for thickness h, hardness B, strain rate and their derivatives along x.
    private func point(
        h: Double, hx: Double, b: Double, bx: Double, ux: Double, uxx: Double, nx: Double = 1
    ) -> EquationPoint {
        EquationPoint(
            channels: [
                .velocityX: [.nan, ux, .nan, uxx, .nan, .nan], .thickness: [h, hx, .nan, .nan, .nan, .nan],
                .hardness: [log(b), bx / b, .nan, .nan, .nan, .nan],
            ], columns: ["nx": nx])
    }

    /// Van der Veen (1983): no accumulation, one hardness, h u = q, so that u³ u_x = (q / 4 B)³ and u⁴ grows linearly.
    @Test("of one hardness and one flux is in balance", arguments: [0.3, 1.0, 2.5])
    func vanDerVeen(x: Double) {
        let (flux, hardness, inflow) = (1.2, 0.15, 1.0)
        let k = pow(flux / (4 * hardness), 3)
        let u = pow(pow(inflow, 4) + 4 * k * x, 0.25)
        let ux = k / (u * u * u)
        let uxx = -3 * k * ux / pow(u, 4)
        let h = flux / u
        let hx = -flux * ux / (u * u)
        let line = point(h: h, hx: hx, b: hardness, bx: 0, ux: ux, uxx: uxx)
        // The regularization of the viscosity changes the stress by 1e-6 / u_x² / 3.
        let bound = 1e-6 / (ux * ux)
        #expect(abs(line.residuals(FlowLine())[0]) < bound * h)
        #expect(abs(line.residuals(FlowLineFrontStress())[0]) < bound * h)
        let fast = point(h: h, hx: hx, b: 1.1 * hardness, bx: 0, ux: ux, uxx: uxx)
        #expect(abs(fast.residuals(FlowLine())[0]) > 0.01 * h * abs(hx))
    }

    /// 2 B h u_x^(1/3) = ½ h² whatever the thickness and the hardness.
    @Test("of any thickness and hardness is in balance where the stress is the sea's", arguments: UInt64(1)...20)
    func anyHardness(seed: UInt64) {
        var numbers = SeededNumbers(seed: seed)
        let (h, hx, b, bx) = (numbers.next(0.5..<2), numbers.next(), numbers.next(0.1..<0.2), 0.1 * numbers.next())
        let ux = pow(h / (4 * b), 3)
        let uxx = 3 * ux * (hx / h - bx / b)
        let line = point(h: h, hx: hx, b: b, bx: bx, ux: ux, uxx: uxx, nx: -1)
        let bound = 10 * 1e-6 / (ux * ux)
        #expect(abs(line.residuals(FlowLine())[0]) < bound)
        #expect(abs(line.residuals(FlowLineFrontStress())[0]) < bound)
    }
}
