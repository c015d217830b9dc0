import Fields
import Pointwise

/// Stress balance at a calving front with outward unit normal n: the membrane stress balances the pressure of the ice
/// column minus that of the sea water (MacAyeal 1989, eq. 21; Wang et al. 2025):
///
///     2 μ (2 u_x + v_y) n_x + μ (u_y + v_x) n_y = ½ h n_x
///     μ (u_y + v_x) n_x + 2 μ (u_x + 2 v_y) n_y = ½ h n_y
///
/// in units where ρ g (1 − ρ/ρ_w) is one.
public struct CalvingFrontStress: Equation {
    public init() {}

    public var residualNames: [String] { ["front_x", "front_y"] }
    public var residualUnit: ResidualUnit { .stress }

    public func residuals(at point: FieldPoint) -> [Scalar] {
        let u = point.jet1(.velocityX)
        let v = point.jet1(.velocityY)
        let h = point.value(.thickness)
        let mu = point.value(.viscosity)
        let nx = point.column("nx")
        let ny = point.column("ny")
        let shear = mu * (u.dy + v.dx)
        return [
            2 * (mu * (2 * u.dx + v.dy)) * nx + shear * ny - 0.5 * h * nx,
            shear * nx + 2 * (mu * (u.dx + 2 * v.dy)) * ny - 0.5 * h * ny,
        ]
    }
}
