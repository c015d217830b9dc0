import CProj
import Fields
import Synchronization

/// What PROJ and its copy of the EPSG registry (proj.db) know of a coordinate reference system.
public struct ReferenceSystem: Sendable {
    /// The EPSG code, from its text or found by its parameters.
    public let epsgCode: Int?
    /// Well-known text as required by CF 1.8 (ISO 19162:2015), in one line.
    public let wellKnownText: String?
    /// Its parameters as PROJ names them: "proj" is "stere", "longlat", ...
    private let parameters: [String: String]

    /// The system with an EPSG code; nil where PROJ knows none, or finds no database of its version.
    public init?(epsg code: Int) {
        self.init { proj_create_from_database($0, "EPSG", "\(code)", PJ_CATEGORY_CRS, 0, nil) }
    }

    /// The system that a text from a file describes; nil where it describes none, or is longer than any real one.
    ///
    /// PROJ opens files that a text names: grids of datum shifts, and whatever a PROJ string in it says (`EXTENSION`, a method called
    /// "PROJ ..."). A product must not choose what is opened here, so such texts are rejected.
    public init?(wellKnownText text: String) {
        let capitals = text.uppercased()
        guard text.utf8.count <= 1 << 16,
            ReferenceSystem.beginnings.contains(where: capitals.drop(while: \.isWhitespace).hasPrefix),
            !["+", "EXTENSION", "PARAMETERFILE", "PROJ ", "PROJ-"].contains(where: capitals.contains)
        else { return nil }
        self.init { proj_create_from_wkt($0, text, nil, nil, nil) }
    }

    /// Of well-known text of both versions.
    private static let beginnings = ["PROJ", "PROJECTED", "GEOG", "GEOD", "GEODETIC", "GEOGRAPHIC"].flatMap {
        ["\($0)CS", "\($0)CRS"]
    }

    /// The system of a polar stereographic projection on WGS 84.
    init?(polarStereographic parameters: String) {
        self.init { proj_create($0, "\(parameters) +datum=WGS84 +type=crs") }
    }

    /// CF's name of the mapping (appendix F); PROJ's for those that CF has none for.
    public var mappingName: String? {
        let names = [
            "longlat": "latitude_longitude", "laea": "lambert_azimuthal_equal_area", "merc": "mercator",
            "tmerc": "transverse_mercator", "utm": "transverse_mercator", "lcc": "lambert_conformal_conic",
            "aea": "albers_conical_equal_area", "aeqd": "azimuthal_equidistant",
        ]
        guard let name = parameters["proj"] else { return nil }
        guard name == "stere" else { return names[name] ?? name }
        return parameters["lat_0"].flatMap(Double.init).map { abs($0) == 90 } ?? false
            ? "polar_stereographic" : "stereographic"
    }

    /// Metres in the unit of its coordinates; NaN where PROJ names a unit that is not listed here.
    public var metersPerUnit: Double {
        if let factor = parameters["to_meter"] { return Double(factor) ?? .nan }
        guard let unit = parameters["units"] else { return 1 }
        return ["m": 1, "km": 1000, "ft": 0.3048, "us-ft": 1200 / 3937.0][unit] ?? .nan
    }

    public var isGeographic: Bool { parameters["proj"] == "longlat" }

    /// CF attributes (appendix F) of a polar stereographic projection on the WGS 84 ellipsoid; nil for every other system.
    public var attributes: [(name: String, value: Projection.Value)]? {
        let number = { (name: String) in parameters[name].flatMap(Double.init) }
        let scale =
            number("lat_ts").map { ("standard_parallel", $0) }
            ?? number("k").map { ("scale_factor_at_projection_origin", $0) }
        guard parameters["proj"] == "stere", [parameters["datum"], parameters["ellps"]].contains("WGS84"),
            let scale, let pole = number("lat_0"), abs(pole) == 90, let meridian = number("lon_0")
        else { return nil }
        return [
            ("grid_mapping_name", .text("polar_stereographic")), ("latitude_of_projection_origin", .number(pole)),
            (scale.0, .number(scale.1)), ("straight_vertical_longitude_from_pole", .number(meridian)),
            ("false_easting", .number(number("x_0") ?? 0)), ("false_northing", .number(number("y_0") ?? 0)),
            ("semi_major_axis", .number(WGS84.semiMajorAxis)), ("inverse_flattening", .number(WGS84.inverseFlattening)),
        ]
    }

    /// A context serves one thread at a time, and opens the database once.
    private struct Context: @unchecked Sendable { let pointer: OpaquePointer? }
    private static let context = Mutex(Context(pointer: makeContext()))

    private init?(_ make: (OpaquePointer) -> OpaquePointer?) {
        let found = ReferenceSystem.context.withLock { context -> (code: Int?, text: String?, parameters: String)? in
            guard let context = context.pointer, let system = make(context) else { return nil }
            defer { proj_destroy(system) }
            guard let parameters = proj_as_proj_string(context, system, PJ_PROJ_5, nil) else { return nil }
            let text = "MULTILINE=NO".withCString { proj_as_wkt(context, system, PJ_WKT2_2015, [$0, nil]) }
            return (
                ReferenceSystem.code(of: system, context), text.map { String(cString: $0) }, String(cString: parameters)
            )
        }
        guard let found else { return nil }
        (epsgCode, wellKnownText) = (found.code, found.text)
        let pairs = found.parameters.split(separator: " ").map {
            $0.dropFirst().split(separator: "=", maxSplits: 1).map(String.init)
        }
        parameters = Dictionary(pairs.filter { $0.count == 2 }.map { ($0[0], $0[1]) }) { first, _ in first }
    }

    /// Its own code, or that of the only system with the same parameters: Esri's texts and CF's attributes have none. PROJ rates
    /// matches in percent; 90 means that all but the names agree.
    private static func code(of system: OpaquePointer, _ context: OpaquePointer) -> Int? {
        if let authority = proj_get_id_auth_name(system, 0), String(cString: authority) == "EPSG" {
            return proj_get_id_code(system, 0).flatMap { Int(String(cString: $0)) }
        }
        var ratings: UnsafeMutablePointer<Int32>?
        guard let matches = proj_identify(context, system, "EPSG", nil, &ratings) else { return nil }
        defer {
            proj_list_destroy(matches)
            proj_int_list_destroy(ratings)
        }
        guard proj_list_get_count(matches) > 0, let ratings, ratings[0] >= 90,
            let best = proj_list_get(context, matches, 0)
        else { return nil }
        defer { proj_destroy(best) }
        return proj_get_id_code(best, 0).flatMap { Int(String(cString: $0)) }
    }
}

/// A context of PROJ that never uses the network, whatever PROJ_NETWORK or proj.ini say, and prints nothing.
func makeContext() -> OpaquePointer? {
    guard let context = proj_context_create() else { return nil }
    proj_context_set_enable_network(context, 0)
    // PJ_LOG_NONE alone lets some messages through.
    proj_log_func(context, nil) { _, _, _ in }
    return context
}

/// The ellipsoid of all current ice products.
public enum WGS84 {
    /// [m]
    public static let semiMajorAxis = 6_378_137.0
    public static let inverseFlattening = 298.257223563
}
