import Fields
import Pointwise

/// An equation that holds at every point of a set, as residuals that vanish where it is satisfied. Nondimensional, with scales
/// L₀ of length, u₀ of speed, h₀ of thickness, and ρ g (1 − ρ/ρ_w) h₀ L₀ / u₀ of viscosity.
public protocol Equation: Sendable {
    /// A name for each residual, used in histories and maps.
    var residualNames: [String] { get }
    /// The physical quantity that a residual of one stands for.
    var residualUnit: ResidualUnit { get }
    func residuals(at point: FieldPoint) -> [Scalar]
}

/// The physical dimension of an equation's residuals.
public enum ResidualUnit: Sendable {
    /// Force per area, in units of `Scales.momentum` [Pa].
    case stress
    /// Rate of thickness, in units of `Scales.thicknessRate` [m s⁻¹].
    case thicknessRate
    /// Dimensionless.
    case ratio
}
