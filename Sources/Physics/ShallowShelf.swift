import Fields
import Pointwise

/// Balance of momentum of a floating shelf with isotropic viscosity, the shallow-shelf approximation
/// (MacAyeal 1989, J. Geophys. Res. 94(B4), eqs. 18 and 19; Wang et al. 2025, Science 387):
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
        let u = point.jet2(.velocityX)
        let v = point.jet2(.velocityY)
        let h = point.jet1(.thickness)
        let mu = point.jet1(.viscosity)
        // Membrane stresses, integrated over the thickness.
        let muH = mu * h
        let nxx = muH * (4 * u.dx + 2 * v.dy)
        let nyy = muH * (2 * u.dx + 4 * v.dy)
        let nxy = muH * (u.dy + v.dx)
        return [
            nxx.dx + nxy.dy - h.value * h.dx,
            nxy.dx + nyy.dy - h.value * h.dy,
        ]
    }
}
