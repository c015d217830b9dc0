import Fields
import Pointwise

/// An equation that holds at every point of a set, as residuals that vanish where it does. Non-dimensional: one
/// length, one speed and one thickness, and the viscosity ρ g (1 − ρ/ρ_w) h₀ L₀ / u₀ that follows from them.
public protocol Equation: Sendable {
    /// A word for each residual, for histories and maps.
    var residualNames: [String] { get }
    /// What a residual of one is in the unit of a map.
    var residualUnit: ResidualUnit { get }
    func residuals(at point: FieldPoint) -> [Scalar]
}

/// What the residuals of an equation measure.
public enum ResidualUnit: Sendable {
    /// A force per area: `Scales.momentum` [Pa].
    case stress
    /// Thickness in time: `Scales.thicknessRate` [m s⁻¹].
    case thicknessRate
    /// A pure number.
    case ratio
}
