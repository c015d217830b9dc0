import Fields
import Pointwise

/// Effective viscosity of ice of known hardness B (Glen 1955; Cuffey & Paterson 2010, eq. 3.21):
///
///     μ = ½ B ε_e^(1/n − 1),   ε_e² = u_x² + v_y² + u_x v_y + ¼ (u_y + v_x)²
public enum GlenFlowLaw {
    /// Added to ε_e², in units of (u₀/L₀)²: keeps μ finite without strain, and changes it by 0.01 % where ε_e is 1/20.
    private static let regularization = 1e-6

    public static func viscosity(at point: FieldPoint) -> Jet1 {
        let u = point.jet2(.velocityX)
        let v = point.jet2(.velocityY)
        let shear = u.dy + v.dx
        let squared = u.dx * u.dx + v.dy * v.dy + u.dx * v.dy + 0.25 * (shear * shear) + regularization
        return point.numbers.hardness / 2 * squared.power(0.5 / Constants.glenExponent - 0.5)
    }
}
