import Fields
import Foundation

/// The Antarctic polar stereographic projection of the products (EPSG:3031: WGS 84, true at 71° S, longitude 0 up), and
/// its inverse; Snyder (1987), Map Projections, USGS Professional Paper 1395, equations 20-16, 21-33 to 21-39.
public enum PolarStereographic {
    static let semiMajorAxis = 6_378_137.0
    static let inverseFlattening = 298.257223563
    static let standardParallel = -71.0

    /// Latitude and longitude [degrees] of a position [m].
    public static func coordinates(of position: Position) -> (latitude: Double, longitude: Double) {
        let flattening = 1 / inverseFlattening
        let e2 = flattening * (2 - flattening)
        let e = e2.squareRoot()
        let parallel = -standardParallel * .pi / 180
        // With y reversed, Snyder's formulas for the north hold in the south.
        let sine = sin(parallel)
        let m = cos(parallel) / (1 - e2 * sine * sine).squareRoot()
        let tParallel = tan(.pi / 4 - parallel / 2) / pow((1 - e * sine) / (1 + e * sine), e / 2)
        let t = (position * position).sum().squareRoot() * tParallel / (semiMajorAxis * m)
        // Latitude by fixed-point iteration (7-9); each step reduces the error by e² = 0.0067.
        var latitude = Double.pi / 2 - 2 * atan(t)
        for _ in 0..<8 {
            let s = e * sin(latitude)
            latitude = .pi / 2 - 2 * atan(t * pow((1 - s) / (1 + s), e / 2))
        }
        let longitude = atan2(position.x, position.y) * 180 / .pi
        return (-latitude * 180 / .pi, longitude)
    }
}
