import Glibc

/// The polar stereographic projection of a grid mapping: longitude and latitude to its coordinates, and back. Snyder (1987),
/// Map Projections, USGS Professional Paper 1395, equations 7-9, 15-9, 14-15, 21-30 to 21-34 and 21-39.
public struct PolarProjection: Sendable {
    /// +1 about the north pole, -1 about the south pole: its formulas are those of the north with all signs turned.
    private let sense: Double
    private let meridian: Double
    private let eastingOffset: Double
    private let northingOffset: Double
    /// Of the ellipsoid.
    private let eccentricity: Double
    /// Distance from the pole is this times t (15-9) [m].
    private let radius: Double
    private let semiMajorAxis: Double

    /// nil where the mapping is none, another projection, or lacks a parameter.
    public init?(_ projection: Projection?) {
        guard let projection else { return nil }
        var attributes = projection.attributes
        if let system = PolarSystem.known.first(where: { $0.code == projection.codeOfText }) {
            // What the mapping says itself comes first.
            attributes += system.attributes
        }
        let whole = Projection(attributes: attributes)
        let number = { (name: String) -> Double? in
            if case .number(let number)? = whole[name], number.isFinite { return number }
            return nil
        }
        guard case .text("polar_stereographic")? = whole["grid_mapping_name"],
            let pole = number("latitude_of_projection_origin"), abs(pole) == 90,
            let parallel = number("standard_parallel"), parallel * pole > 0, abs(parallel) <= 90,
            let meridian = number("straight_vertical_longitude_from_pole")
        else { return nil }
        sense = pole > 0 ? 1 : -1
        self.meridian = meridian * .pi / 180
        eastingOffset = number("false_easting") ?? 0
        northingOffset = number("false_northing") ?? 0
        // BedMachine v1 and old ITS_LIVE headers give axes of another ellipsoid, or in kilometres, for coordinates on WGS 84.
        semiMajorAxis = 6_378_137
        let flattening = 1 / 298.257223563
        eccentricity = (flattening * (2 - flattening)).squareRoot()
        let e = eccentricity
        let phi = abs(parallel) * .pi / 180
        if phi > .pi / 2 - 1e-9 {
            radius = 2 * semiMajorAxis / (pow(1 + e, 1 + e) * pow(1 - e, 1 - e)).squareRoot()
        } else {
            radius =
                semiMajorAxis * PolarProjection.m(phi, e) / PolarProjection.t(phi, e)
        }
    }

    /// Position [m] of a longitude and latitude [degrees].
    public func position(longitude: Double, latitude: Double) -> (x: Double, y: Double) {
        let rho = radius * PolarProjection.t(sense * latitude * .pi / 180, eccentricity)
        let angle = longitude * .pi / 180 - meridian
        return (eastingOffset + rho * sin(angle), northingOffset - sense * rho * cos(angle))
    }

    /// Longitude and latitude [degrees] of a position [m].
    public func coordinates(x: Double, y: Double) -> (longitude: Double, latitude: Double) {
        let (east, north) = (x - eastingOffset, y - northingOffset)
        let phi = latitude(ofDistance: (east * east + north * north).squareRoot())
        let longitude = (meridian + atan2(east, -sense * north)) * 180 / .pi
        return (longitude.remainder(dividingBy: 360), sense * phi * 180 / .pi)
    }

    /// Area on the map of a unit of area on the ground.
    public func areaScale(x: Double, y: Double) -> Double {
        let (east, north) = (x - eastingOffset, y - northingOffset)
        // At the pole itself both lengths are zero; a metre beside it the limit is met to all digits.
        let rho = max(1, (east * east + north * north).squareRoot())
        let k = rho / (semiMajorAxis * PolarProjection.m(latitude(ofDistance: rho), eccentricity))
        return k * k
    }

    private func latitude(ofDistance rho: Double) -> Double {
        let t = rho / radius
        var phi = Double.pi / 2 - 2 * atan(t)
        // The error falls by e² = 0.0067 each time (7-9).
        for _ in 0..<8 {
            let s = eccentricity * sin(phi)
            phi = .pi / 2 - 2 * atan(t * pow((1 - s) / (1 + s), eccentricity / 2))
        }
        return phi
    }

    private static func t(_ phi: Double, _ e: Double) -> Double {
        let s = e * sin(phi)
        return tan(.pi / 4 - phi / 2) / pow((1 - s) / (1 + s), e / 2)
    }

    private static func m(_ phi: Double, _ e: Double) -> Double {
        let s = e * sin(phi)
        return cos(phi) / (1 - s * s).squareRoot()
    }
}
