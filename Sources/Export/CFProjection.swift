import Fields
import MapProjections

extension Projection {
    /// The attributes as tools want them: for a polar stereographic mapping those of CF (appendix F) alone, completed by
    /// WGS 84's ellipsoid where the product names it and by the text of a system that EPSG knows. GDAL and QGIS place a
    /// grid without that text too, but call its system unnamed.
    var cfAttributes: [(name: String, value: Value)] {
        guard self["grid_mapping_name"] == .text("polar_stereographic") else { return attributes }
        var completed = attributes.filter { Projection.polarStereographic.contains($0.name) }
        func complete(_ name: String, _ value: Value) {
            if !completed.contains(where: { $0.name == name }) { completed.append((name, value)) }
        }
        if isWGS84 {
            complete("semi_major_axis", .number(WGS84.semiMajorAxis))
            complete("inverse_flattening", .number(WGS84.inverseFlattening))
        }
        complete("longitude_of_prime_meridian", .number(0))
        if isWGS84, let text = registeredText { complete("crs_wkt", .text(text)) }
        return completed
    }

    private static let polarStereographic: Set<String> = [
        "grid_mapping_name", "latitude_of_projection_origin", "straight_vertical_longitude_from_pole",
        "standard_parallel", "scale_factor_at_projection_origin", "false_easting", "false_northing", "semi_major_axis",
        "semi_minor_axis", "inverse_flattening", "longitude_of_prime_meridian", "crs_wkt",
    ]

    private var isWGS84: Bool {
        if let axis = number("semi_major_axis"), let flattening = number("inverse_flattening") {
            return axis == WGS84.semiMajorAxis && abs(flattening - WGS84.inverseFlattening) < 1e-6
        }
        if case .text(let name) = self["ellipsoid"] { return name.filter { $0 != " " }.uppercased() == "WGS84" }
        // BedMachine Antarctica names no ellipsoid and uses EPSG:3031, as its user guide says.
        return number("semi_major_axis") == nil
    }
}
