/// A polar stereographic projection on WGS 84 that has a number of EPSG.
public struct PolarSystem: Sendable {
    public let code: Int
    /// Of the pole, of true scale, and of the meridian that points down (north pole) or up (south pole) [degrees].
    public let pole: Double
    public let parallel: Double
    public let longitude: Double

    /// Those that ice products use: Antarctica, the same with NSIDC's parallel, Greenland.
    public static let known = [
        PolarSystem(code: 3031, pole: -90, parallel: -71, longitude: 0),
        PolarSystem(code: 3976, pole: -90, parallel: -70, longitude: 0),
        PolarSystem(code: 3413, pole: 90, parallel: 70, longitude: -45),
    ]

    /// The attributes of CF (appendix F) that say the same.
    public var attributes: [(name: String, value: Projection.Value)] {
        [
            (name: "grid_mapping_name", value: .text("polar_stereographic")),
            (name: "latitude_of_projection_origin", value: .number(pole)),
            (name: "standard_parallel", value: .number(parallel)),
            (name: "straight_vertical_longitude_from_pole", value: .number(longitude)),
            (name: "false_easting", value: .number(0)), (name: "false_northing", value: .number(0)),
            (name: "semi_major_axis", value: .number(6_378_137)),
            (name: "inverse_flattening", value: .number(298.257223563)),
        ]
    }
}

extension Projection {
    /// Attributes that hold a reference system as well-known text; GDAL writes the second, CF has the first.
    public static let textAttributes = ["crs_wkt", "spatial_ref"]

    /// The number that EPSG gives the reference system, where its well-known text ends with one, or an attribute is the number
    /// (`spatial_epsg`: ITS_LIVE).
    public var codeOfText: Int? {
        switch self["spatial_epsg"] {
        case .number(let code)?: if let code = Int(exactly: code) { return code }
        case .text(let text)?: if let code = Int(text.trimmingBlanks()) { return code }
        case nil: break
        }
        for name in Projection.textAttributes {
            if case .text(let text) = self[name], let code = Projection.code(ofWellKnownText: text) { return code }
        }
        return nil
    }

    /// The number of the known system whose pole, parallel and longitude these are.
    public var codeOfParameters: Int? {
        PolarSystem.known.first { system in
            system.attributes.prefix(4).allSatisfy { attribute in
                switch (attribute.value, self[attribute.name]) {
                case (.number(let a), .number(let b)?):
                    attribute.name.contains("longitude") ? isSameLongitude(a, b) : a == b
                case (.text(let a), .text(let b)?): a == b
                default: false
                }
            }
        }?.code
    }

    /// The outermost `ID["EPSG",3031]` (WKT 2) or `AUTHORITY["EPSG","3031"]` (WKT 1); those further inside belong to the
    /// ellipsoid, the method, the units.
    static func code(ofWellKnownText text: String) -> Int? {
        var depth = 0
        var isInName = false
        var words: [String] = [""]
        /// What stands between the brackets of the outermost identifier.
        var identifier: [String]?
        for character in text {
            if character == "\"" {
                isInName.toggle()
            } else if isInName {
                words[words.count - 1].append(character)
            } else if character == "[" || character == "(" {
                depth += 1
                if depth == 2, ["ID", "AUTHORITY"].contains(words.last?.trimmingBlanks().uppercased()) {
                    identifier = []
                }
                words = [""]
            } else if character == "]" || character == ")" {
                if depth == 2, identifier?.isEmpty == true { identifier = words.map { $0.trimmingBlanks() } }
                depth -= 1
                words = [""]
            } else if character == "," {
                words.append("")
            } else {
                words[words.count - 1].append(character)
            }
        }
        guard let identifier, identifier.count >= 2, identifier[0].uppercased() == "EPSG" else { return nil }
        return Int(identifier[1])
    }
}

/// Whether two longitudes [degrees] are one meridian: 315 is -45.
public func isSameLongitude(_ a: Double, _ b: Double) -> Bool {
    abs((a - b).remainder(dividingBy: 360)) <= 1e-6
}
