import Fields

/// CF's grid mapping attributes in the terms of EPSG and PROJ.
extension Projection {
    /// Attributes with well-known text: CF has the first, GDAL writes the second.
    public static let textAttributes = ["crs_wkt", "spatial_ref"]

    /// The EPSG code: stated (`spatial_epsg`: ITS_LIVE), from the well-known text, or found by the parameters.
    public var epsgCode: Int? { statedCode ?? (describedSystem ?? parametricSystem)?.epsgCode }

    /// With the attributes that follow from its code or text. Attributes of a mapping with a name take precedence over them, those of
    /// one without do not.
    public var completed: Projection {
        guard let described = (statedCode.flatMap(ReferenceSystem.init(epsg:)) ?? describedSystem)?.attributes else {
            return self
        }
        let (first, second) = self["grid_mapping_name"] == nil ? (described, attributes) : (attributes, described)
        return Projection(attributes: first + second.filter { next in !first.contains { $0.name == next.name } })
    }

    /// The well-known text of the EPSG system with these parameters; nil where there is none.
    public var registeredText: String? {
        parametricSystem?.epsgCode.flatMap(ReferenceSystem.init(epsg:))?.wellKnownText
    }

    /// CF's name of the mapping, stated or as its text or code has it (PROJ's name for what CF has none); nil where nothing is said.
    public var mappingName: String? {
        if case .text(let name)? = self["grid_mapping_name"] { return name }
        return (statedCode.flatMap(ReferenceSystem.init(epsg:)) ?? describedSystem)?.mappingName
    }

    /// Metres in the unit of the coordinates that its text or code states; 1 where nothing is said.
    public var metersPerUnit: Double {
        (statedCode.flatMap(ReferenceSystem.init(epsg:)) ?? describedSystem).map(\.metersPerUnit) ?? 1
    }

    /// Whether it says more than parameters do, so that PROJ has to be asked.
    public var hasCodeOrText: Bool { (["spatial_epsg"] + Projection.textAttributes).contains { self[$0] != nil } }

    private var statedCode: Int? {
        switch self["spatial_epsg"] {
        case .number(let code)?: Int(exactly: code)
        case .text(let text)?: Int(text.trimmingBlanks())
        case nil: nil
        }
    }

    private var describedSystem: ReferenceSystem? {
        Projection.textAttributes.lazy.compactMap { name in
            if case .text(let text)? = self[name] { ReferenceSystem(wellKnownText: text) } else { nil }
        }.first
    }

    private var parametricSystem: ReferenceSystem? {
        polarStereographic.flatMap(ReferenceSystem.init(polarStereographic:))
    }

    /// A finite number among the attributes.
    public func number(_ name: String) -> Double? {
        if case .number(let number)? = self[name], number.isFinite { number } else { nil }
    }

    /// PROJ's parameters of a polar stereographic mapping; nil where one is missing or impossible. Without the ellipsoid: headers of
    /// BedMachine v1 and old ITS_LIVE give the axes of another one, or in kilometres, for coordinates on WGS 84.
    var polarStereographic: String? {
        guard self["grid_mapping_name"] == .text("polar_stereographic"),
            let pole = number("latitude_of_projection_origin"), abs(pole) == 90,
            let meridian = number("straight_vertical_longitude_from_pole")
        else { return nil }
        let scale: String
        if let parallel = number("standard_parallel"), parallel * pole > 0, abs(parallel) <= 90 {
            scale = "+lat_ts=\(parallel)"
        } else if self["standard_parallel"] == nil, let factor = number("scale_factor_at_projection_origin"), factor > 0
        {
            scale = "+k_0=\(factor)"
        } else {
            return nil
        }
        return "+proj=stere +lat_0=\(pole) \(scale) +lon_0=\(meridian.remainder(dividingBy: 360))"
            + " +x_0=\(number("false_easting") ?? 0) +y_0=\(number("false_northing") ?? 0)"
    }
}

/// Whether two longitudes [degrees] are one meridian: 315 is -45.
public func isSameLongitude(_ a: Double, _ b: Double) -> Bool {
    abs((a - b).remainder(dividingBy: 360)) <= 1e-6
}
