import Fields
import Pointwise

/// Momentum balance of an anisotropic floating shelf, whose viscosity in the horizontal plane (μ_h) differs from that against
/// vertical stretching (μ_v), for instance because of crevasses or fabric (Wang & Lai 2025, JOSS 10(109), 7254, documentation):
///
///     ∂x(2 μ_h h u_x + 2 μ_v h (u_x + v_y)) + ∂y(μ_h h (u_y + v_x)) = h h_x
///     ∂x(μ_h h (u_y + v_x)) + ∂y(2 μ_h h v_y + 2 μ_v h (u_x + v_y)) = h h_y
///
/// in units where ρ g (1 − ρ/ρ_w) is one; μ_h = μ_v is the isotropic shelf.
public struct AnisotropicShelf: Equation {
    public init() {}

    public var residualNames: [String] { ["momentum_x", "momentum_y"] }
    public var residualUnit: ResidualUnit { .stress }

    public func residuals(at point: FieldPoint) -> [Scalar] {
        let u = point.jet2(.velocityX)
        let v = point.jet2(.velocityY)
        let h = point.jet1(.thickness)
        let muTimesH = point.jet1(.horizontalViscosity) * h
        let vertical = 2 * (point.jet1(.verticalViscosity) * h) * (u.dx + v.dy)
        return MembraneStress(
            xx: 2 * muTimesH * u.dx + vertical, yy: 2 * muTimesH * v.dy + vertical, xy: muTimesH * (u.dy + v.dx)
        ).balance(h.value * h.dx, h.value * h.dy)
    }
}

/// Stress balance at the calving front of an anisotropic shelf (same source):
///
///     2 (μ_h u_x + μ_v (u_x + v_y)) n_x + μ_h (u_y + v_x) n_y = ½ h n_x
///     μ_h (u_y + v_x) n_x + 2 (μ_h v_y + μ_v (u_x + v_y)) n_y = ½ h n_y
public struct AnisotropicFrontStress: Equation {
    public init() {}

    public var residualNames: [String] { ["front_x", "front_y"] }
    public var residualUnit: ResidualUnit { .stress }

    public func residuals(at point: FieldPoint) -> [Scalar] {
        let u = point.jet1(.velocityX)
        let v = point.jet1(.velocityY)
        let horizontalViscosity = point.value(.horizontalViscosity)
        let nx = point.column("nx")
        let ny = point.column("ny")
        let shear = horizontalViscosity * (u.dy + v.dx)
        // The isotropic part, which acts equally on every vertical plane.
        let isotropic = 2 * (point.value(.verticalViscosity) * (u.dx + v.dy)) - 0.5 * point.value(.thickness)
        return [
            (2 * (horizontalViscosity * u.dx) + isotropic) * nx + shear * ny,
            shear * nx + (2 * (horizontalViscosity * v.dy) + isotropic) * ny,
        ]
    }
}

/// Regularization towards isotropic ice, for points where data and equations leave μ_v open: without vertical stretching
/// (u_x + v_y = 0), μ_v drops out of the equations. The residual is log μ_h − log μ_v; DIFFICE_jax uses μ_h − μ_v in its documentation and
/// (√μ_h − √μ_v)/2 in its code, which weigh stiff ice more.
public struct IsotropyPrior: Equation {
    public init() {}

    public var residualNames: [String] { ["anisotropy"] }
    public var residualUnit: ResidualUnit { .ratio }

    public func residuals(at point: FieldPoint) -> [Scalar] {
        // Viscosities are exponentials of the outputs.
        [point.output(.horizontalViscosity) - point.output(.verticalViscosity)]
    }
}
