import Fields
import Pointwise

/// Conservation of mass for a steady thickness and constant density (Cuffey & Paterson 2010,
/// chapter 8; Morlighem et al. 2011, Geophys. Res. Lett. 38, L19503):
///
///     ∂x(h u) + ∂y(h v) = a − m
///
/// a: accumulation at the surface, m: melt at the base. Only their difference is determined, and that is inferred.
public struct MassConservation: Equation {
    public init() {}

    public var residualNames: [String] { ["mass"] }
    public var residualUnit: ResidualUnit { .thicknessRate }

    public func residuals(at point: FieldPoint) -> [Scalar] {
        let u = point.jet1(.velocityX)
        let v = point.jet1(.velocityY)
        let h = point.jet1(.thickness)
        return [(h * u).dx + (h * v).dy - point.value(.massBalance)]
    }
}
