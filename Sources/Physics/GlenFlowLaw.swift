import Fields
import Pointwise

/// The effective viscosity of ice of known hardness B (Glen 1955; Cuffey & Paterson 2010, eq. 3.21):
///
///     μ = ½ B ε_e^(1/n − 1),   ε_e² = u_x² + v_y² + u_x v_y + ¼ (u_y + v_x)²
public enum GlenFlowLaw {
    /// Added to ε_e² in units of one speed a length: keeps μ finite where nothing strains, and moves it by a permille where
    /// the rate is a twentieth.
    private static let smallest = 1e-6

    public static func viscosity(at point: FieldPoint) -> Jet1 {
        let u = point.jet2(.velocityX)
        let v = point.jet2(.velocityY)
        let shear = u.dy + v.dx
        let squared = u.dx * u.dx + v.dy * v.dy + u.dx * v.dy + 0.25 * (shear * shear) + smallest
        return point.numbers.hardness / 2 * squared.power(0.5 / Constants.glenExponent - 0.5)
    }
}
