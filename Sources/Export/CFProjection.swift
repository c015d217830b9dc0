import Fields

extension Projection {
    /// The attributes as tools want them: for a polar stereographic mapping those of CF (appendix F) alone, completed by
    /// WGS 84's ellipsoid where the product names it and by the text of a known reference system. GDAL and QGIS place a
    /// grid without that text too, but call its system unnamed.
    var cfAttributes: [(name: String, value: Value)] {
        guard self["grid_mapping_name"] == .text("polar_stereographic") else { return attributes }
        var completed = attributes.filter { Projection.polarStereographic.contains($0.name) }
        func complete(_ name: String, _ value: Value) {
            if !completed.contains(where: { $0.name == name }) { completed.append((name, value)) }
        }
        if isWGS84 {
            complete("semi_major_axis", .number(6_378_137))
            complete("inverse_flattening", .number(298.257223563))
        }
        complete("longitude_of_prime_meridian", .number(0))
        if let text = wellKnownText { complete("crs_wkt", .text(text)) }
        return completed
    }

    private static let polarStereographic: Set<String> = [
        "grid_mapping_name", "latitude_of_projection_origin", "straight_vertical_longitude_from_pole",
        "standard_parallel",
        "scale_factor_at_projection_origin", "false_easting", "false_northing", "semi_major_axis", "semi_minor_axis",
        "inverse_flattening", "longitude_of_prime_meridian", "crs_wkt",
    ]

    private func number(_ name: String) -> Double? {
        if case .number(let number) = self[name] { number } else { nil }
    }

    private var isWGS84: Bool {
        if let axis = number("semi_major_axis"), let flattening = number("inverse_flattening") {
            return axis == 6_378_137 && abs(flattening - 298.257223563) < 1e-6
        }
        if case .text(let name) = self["ellipsoid"] { return name.filter { $0 != " " }.uppercased() == "WGS84" }
        // BedMachine Antarctica names no ellipsoid and uses EPSG:3031, as its user guide says.
        return number("semi_major_axis") == nil
    }

    /// EPSG:3031 (Antarctica) and EPSG:3413 (Greenland), by their parameters.
    private var wellKnownText: String? {
        let poles: [(latitude: Double, parallel: Double, longitude: Double, code: Int, name: String, axes: String)] = [
            (
                -90, -71, 0, 3031, "WGS 84 / Antarctic Polar Stereographic",
                "AXIS[\"(E)\",north,MERIDIAN[90,ANGLEUNIT[\"degree\",0.0174532925199433]],ORDER[1]],AXIS[\"(N)\",north,MERIDIAN[0,ANGLEUNIT[\"degree\",0.0174532925199433]],ORDER[2]]"
            ),
            (
                90, 70, -45, 3413, "WGS 84 / NSIDC Sea Ice Polar Stereographic North",
                "AXIS[\"(X)\",south,MERIDIAN[45,ANGLEUNIT[\"degree\",0.0174532925199433]],ORDER[1]],AXIS[\"(Y)\",south,MERIDIAN[135,ANGLEUNIT[\"degree\",0.0174532925199433]],ORDER[2]]"
            ),
        ]
        guard isWGS84, number("false_easting") ?? 0 == 0, number("false_northing") ?? 0 == 0,
            let pole = poles.first(where: {
                number("latitude_of_projection_origin") == $0.latitude && number("standard_parallel") == $0.parallel
                    && isSameLongitude(number("straight_vertical_longitude_from_pole") ?? .nan, $0.longitude)
            })
        else { return nil }
        let degree = "ANGLEUNIT[\"degree\",0.0174532925199433]"
        let metre = "LENGTHUNIT[\"metre\",1]"
        return "PROJCRS[\"\(pole.name)\",BASEGEOGCRS[\"WGS 84\",DATUM[\"World Geodetic System 1984\","
            + "ELLIPSOID[\"WGS 84\",6378137,298.257223563,\(metre)]],PRIMEM[\"Greenwich\",0,\(degree)],ID[\"EPSG\",4326]],"
            + "CONVERSION[\"Polar Stereographic\",METHOD[\"Polar Stereographic (variant B)\",ID[\"EPSG\",9829]],"
            + "PARAMETER[\"Latitude of standard parallel\",\(Int(pole.parallel)),\(degree),ID[\"EPSG\",8832]],"
            + "PARAMETER[\"Longitude of origin\",\(Int(pole.longitude)),\(degree),ID[\"EPSG\",8833]],"
            + "PARAMETER[\"False easting\",0,\(metre),ID[\"EPSG\",8806]],"
            + "PARAMETER[\"False northing\",0,\(metre),ID[\"EPSG\",8807]]],CS[Cartesian,2],\(pole.axes),\(metre),ID[\"EPSG\",\(pole.code)]]"
    }
}
