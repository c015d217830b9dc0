import Fields
import Pointwise

/// Momentum balance along a flow line of a laterally unconfined floating shelf with varying hardness B
/// (Iwasaki & Lai 2023, J. Comput. Phys. 492, 112435; Van der Veen 2013, Fundamentals of Glacier Dynamics):
///
///     ∂x(2 B h |u_x|^(1/n − 1) u_x) = h h_x
///
/// in units where ρ g (1 − ρ/ρ_w) is one. The line runs along the grid's x axis; no equation holds across it.
public struct FlowLine: Equation {
    public init() {}

    public var residualNames: [String] { ["momentum_x"] }
    public var residualUnit: ResidualUnit { .stress }

    public func residuals(at point: FieldPoint) -> [Scalar] {
        let h = point.jet1(.thickness)
        let n = 4 * (FlowLine.viscosity(at: point) * h) * point.jet2(.velocityX).dx
        return [n.dx - h.value * h.dx]
    }

    /// μ = ½ B |u_x|^(1/n − 1), so that 4 μ h u_x is the membrane stress; |u_x| is bounded below by 10⁻³ to keep μ finite.
    static func viscosity(at point: FieldPoint) -> Jet1 {
        let ux = point.jet2(.velocityX).dx
        return 0.5 * point.jet1(.hardness) * (ux * ux + 1e-6).power(0.5 / Constants.glenExponent - 0.5)
    }
}

/// Stress balance at the calving front of a flow line (same sources): 2 B |u_x|^(1/n − 1) u_x = ½ h.
public struct FlowLineFrontStress: Equation {
    public init() {}

    public var residualNames: [String] { ["front_x"] }
    public var residualUnit: ResidualUnit { .stress }

    public func residuals(at point: FieldPoint) -> [Scalar] {
        let stress = 4 * FlowLine.viscosity(at: point) * point.jet2(.velocityX).dx
        return [(stress.value - 0.5 * point.value(.thickness)) * point.column("nx")]
    }
}
