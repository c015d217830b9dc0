import Fields
import Pointwise

/// Momentum balance of a floating shelf with isotropic viscosity, the shallow-shelf approximation
/// (MacAyeal 1989, J. Geophys. Res. 94(B4), 4071; Wang et al. 2025, Science 387):
///
///     ∂x(4 μ h u_x + 2 μ h v_y) + ∂y(μ h (u_y + v_x)) = h h_x
///     ∂x(μ h (u_y + v_x)) + ∂y(2 μ h u_x + 4 μ h v_y) = h h_y
///
/// in units where ρ g (1 − ρ/ρ_w) is one.
public struct ShallowShelf: Equation {
    public init() {}

    public var residualNames: [String] { ["momentum_x", "momentum_y"] }
    public var residualUnit: ResidualUnit { .stress }

    public func residuals(at point: FieldPoint) -> [Scalar] {
        let h = point.jet1(.thickness)
        return MembraneStress(
            muTimesH: point.jet1(.viscosity) * h, u: point.jet2(.velocityX), v: point.jet2(.velocityY)
        ).balance(h.value * h.dx, h.value * h.dy)
    }
}
