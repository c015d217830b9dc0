import Fields
import Pointwise

/// Momentum balance of grounded ice that slides on its bed, the shelfy-stream approximation (MacAyeal 1989, J. Geophys.
/// Res. 94(B4), 4071), with a Weertman sliding law (Weertman 1957) and a known hardness of the ice:
///
///     ∂x(4 μ h u_x + 2 μ h v_y) + ∂y(μ h (u_y + v_x)) = C² |u|^(m−1) u + h s_x / (1 − ρ/ρ_w)
///     ∂x(μ h (u_y + v_x)) + ∂y(2 μ h u_x + 4 μ h v_y) = C² |u|^(m−1) v + h s_y / (1 − ρ/ρ_w)
///
/// in units where ρ g (1 − ρ/ρ_w) is one; s is the surface height, in units of h₀. The friction is inferred;
/// without a calving front the momentum balance alone cannot separate it from an unknown viscosity, so the viscosity is Glen's.
public struct ShelfyStream: Equation {
    public init() {}

    public var residualNames: [String] { ["momentum_x", "momentum_y"] }
    public var residualUnit: ResidualUnit { .stress }

    public func residuals(at point: FieldPoint) -> [Scalar] {
        let u = point.jet2(.velocityX)
        let v = point.jet2(.velocityY)
        let h = point.jet1(.thickness)
        let s = point.jet1(.surface)
        let drag = ShelfyStream.dragPerSpeed(at: point)
        let weight = (1 / point.numbers.buoyancy) * h.value
        return MembraneStress(muTimesH: GlenFlowLaw.viscosity(at: point) * h, u: u, v: v)
            .balance(drag * u.value + weight * s.dx, drag * v.value + weight * s.dy)
    }

    /// Basal drag τ_b = C² |u|^m.
    public static func basalDrag(at point: FieldPoint) -> Scalar {
        dragPerSpeed(at: point) * squaredSpeed(at: point).squareRoot()
    }

    /// C² |u|^(m−1).
    private static func dragPerSpeed(at point: FieldPoint) -> Scalar {
        point.value(.friction) * squaredSpeed(at: point).power((point.numbers.slidingExponent - 1) / 2)
    }

    /// |u|², with |u| bounded below by 10⁻³ u₀.
    private static func squaredSpeed(at point: FieldPoint) -> Scalar {
        let u = point.value(.velocityX)
        let v = point.value(.velocityY)
        return u * u + v * v + Scalar(1e-6)
    }
}
