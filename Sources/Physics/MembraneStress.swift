import Fields
import Pointwise

/// Stresses of ice that deforms in its plane alone, integrated over the thickness, with their slopes (MacAyeal 1989,
/// J. Geophys. Res. 94(B4), 4071): N = 2 μ h (strain rate + trace · 1).
struct MembraneStress {
    let xx: Jet1
    let yy: Jet1
    let xy: Jet1

    init(xx: Jet1, yy: Jet1, xy: Jet1) {
        self.xx = xx
        self.yy = yy
        self.xy = xy
    }

    /// - Parameter muH: viscosity × thickness.
    init(muH: Jet1, u: Jet2, v: Jet2) {
        self.init(xx: muH * (4 * u.dx + 2 * v.dy), yy: muH * (2 * u.dx + 4 * v.dy), xy: muH * (u.dy + v.dx))
    }

    /// What pulls at a column, less what it has to bear.
    func balance(_ loadX: Scalar, _ loadY: Scalar) -> [Scalar] {
        [xx.dx + xy.dy - loadX, xy.dx + yy.dy - loadY]
    }
}
