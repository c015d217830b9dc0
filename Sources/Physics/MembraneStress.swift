import Fields
import Pointwise

/// Depth-integrated membrane stress with its first derivatives (MacAyeal 1989, J. Geophys. Res. 94(B4), 4071):
/// N = 2 μ h (strain rate + trace · 1).
struct MembraneStress {
    let xx: Jet1
    let yy: Jet1
    let xy: Jet1

    init(xx: Jet1, yy: Jet1, xy: Jet1) {
        self.xx = xx
        self.yy = yy
        self.xy = xy
    }

    /// The stress of isotropic ice. `muTimesH` is viscosity times thickness.
    init(muTimesH: Jet1, u: Jet2, v: Jet2) {
        self.init(
            xx: muTimesH * (4 * u.dx + 2 * v.dy), yy: muTimesH * (2 * u.dx + 4 * v.dy), xy: muTimesH * (u.dy + v.dx))
    }

    /// Residuals of the momentum balance: divergence of the stress minus the load.
    func balance(_ loadX: Scalar, _ loadY: Scalar) -> [Scalar] {
        [xx.dx + xy.dy - loadX, xy.dx + yy.dy - loadY]
    }
}
