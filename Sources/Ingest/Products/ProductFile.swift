import Fields
import MapProjections
import NetCDFFiles

/// An open product with the schema that reads it.
struct ProductFile {
    let file: any ProductContainer
    let schema: ProductSchema

    var path: String { file.path }
    /// The file name without folders, for messages and provenance.
    var name: String { lastComponent(of: path) }
    var variableNames: [String] { file.arrays.map(\.name) + file.others }

    init(path: String, catalog: ProductCatalog? = nil) throws {
        file = try openProduct(path: path)
        schema = try (catalog ?? ProductCatalog()).schema(for: file)
    }

    var thickness: (any ProductArray)? { first(schema.thickness?.variable) }
    var mask: (any ProductArray)? { first(schema.mask?.variable) ?? maskLayers.first?.array }

    /// The layers that make up the mask, as far as the file has them.
    var maskLayers: [(array: any ProductArray, cover: IceMask)] {
        (schema.mask?.layers ?? []).compactMap { layer in
            file.array(layer.variable).flatMap { array in IceMask(name: layer.cover).map { (array, $0) } }
        }
    }

    /// The array with the first of these names that exists.
    func first(_ names: [String]?) -> (any ProductArray)? {
        (names ?? []).lazy.compactMap { file.array($0) }.first
    }

    /// Names of a field's coordinates: the thickness may have its own.
    func coordinates(of field: any ProductArray) -> ProductSchema.Coordinates {
        var names = schema.coordinates
        guard let thickness = schema.thickness, let x = thickness.x, let y = thickness.y,
            (thickness.variable + (thickness.error ?? []) + (thickness.minus ?? [])).contains(field.name)
        else { return names }
        (names.x, names.y) = (x, y)
        return names
    }

    typealias Components = (x: any ProductArray, y: any ProductArray)

    /// Both components, from the same position in the schema's two lists ("vx" belongs to "vy").
    func velocityComponents() throws -> Components {
        let namesX = schema.velocity?.x ?? []
        let namesY = schema.velocity?.y ?? []
        for (nameX, nameY) in zip(namesX, namesY) {
            switch (file.array(nameX), file.array(nameY)) {
            case (let x?, let y?): return (x, y)
            case (.some, nil): throw PlainFailure.missingPartner(nameY, of: nameX, path: path)
            case (nil, .some): throw PlainFailure.missingPartner(nameX, of: nameY, path: path)
            case (nil, nil): continue
            }
        }
        throw PlainFailure(
            thickness != nil
                ? "\(path): holds ice thickness but no velocity; name the velocity file first and this one after --thickness"
                : "\(path): no velocity found: none of \(list(namesX + namesY)) among its variables \(list(variableNames)); give a velocity product such as NSIDC-0754 or NSIDC-0484"
        )
    }

    func requireThickness() throws -> any ProductArray {
        if let thickness { return thickness }
        throw PlainFailure(
            "\(path): no ice thickness found: none of \(list(schema.thickness?.variable ?? ["thickness"])) among its variables \(list(variableNames)); give a thickness product such as BedMachine Antarctica with --thickness"
        )
    }

    /// A density that the product states [kg m⁻³].
    func density(_ attribute: String?) -> Double? {
        attribute.flatMap { file.attribute($0)?.number }.flatMap { $0.isFinite && $0 > 0 ? $0 : nil }
    }

    /// Values that mean "no data", in addition to NaN and what the variable declares: listed ones, and that of a global attribute.
    func noData(_ listed: [ProductSchema.Number]?, _ attribute: String?) -> [Double] {
        (listed ?? []).map(\.value) + [attribute.flatMap { file.attribute($0)?.number }].compactMap { $0 }
    }

    var noThickness: [Double] { noData(schema.thickness?.noData, schema.thickness?.noDataAttribute) }

    // MARK: projection

    /// The grid mapping of a field as CF attributes; the schema's where the file has none; nil where neither exists.
    func projection(of field: any ProductArray) -> Projection? {
        let named = field.attribute("grid_mapping")?.text
        // CF: in the group of the field, or in an enclosing one.
        let groups = field.name.split(separator: "/").dropLast()
        let places = (0...groups.count).reversed().map { groups.prefix($0).map { $0 + "/" }.joined() }
        let candidates = (named.map { name in places.map { $0 + name } } ?? []) + (schema.projection?.variables ?? [])
        guard
            let mapping = candidates.lazy.compactMap({ file.array($0) }).first(where: { variable in
                (["grid_mapping_name", "spatial_epsg"] + Projection.textAttributes).contains {
                    variable.attribute($0) != nil
                }
            })
        else {
            return schema.projection?.epsg.map {
                Projection(attributes: [("spatial_epsg", .number(Double($0)))]).completed
            }
        }
        // A GeoTransform describes the whole grid, and GDAL prefers it to the coordinates.
        let misleading: Set<String> = ["GeoTransform", "geotransform", "_FillValue"]
        var attributes: [(name: String, value: Projection.Value)] = []
        for name in mapping.attributeNames where !misleading.contains(name) && NetCDFFile.canWrite(attribute: name) {
            switch mapping.attribute(name) {
            case .text(let text): attributes.append((name, .text(text)))
            case .numbers(let numbers) where numbers.count == 1: attributes.append((name, .number(numbers[0])))
            default: continue
            }
        }
        // GDAL and xarray may write well-known text only. The parameters are added, so that readers of the store and of the
        // prediction find them in CF's attributes.
        if mapping.attribute("grid_mapping_name") == nil {
            return LibraryCrash.guarded(reading: path) { Projection(attributes: attributes).completed }
        }
        // ITS_LIVE uses this name for the standard parallel, and once gave the semi-minor axis in kilometres.
        if mapping.attribute("standard_parallel") == nil, let number = mapping.attribute("latitude_of_origin")?.number {
            attributes.append(("standard_parallel", .number(number)))
        }
        attributes.removeAll { name, value in
            if name == "semi_minor_axis", case .number(let length) = value { length < 1e6 } else { false }
        }
        let ellipsoid = mapping.attribute("ellipsoid")?.text ?? schema.projection?.ellipsoid ?? ""
        let isWGS84 = ellipsoid.filter { $0.isLetter || $0.isNumber }.uppercased() == "WGS84"
        let hasAxes = ["semi_major_axis", "semi_minor_axis", "earth_radius", "inverse_flattening"].contains { name in
            attributes.contains { $0.name == name }
        }
        if isWGS84, !hasAxes {
            attributes.append(("semi_major_axis", .number(WGS84.semiMajorAxis)))
            attributes.append(("inverse_flattening", .number(WGS84.inverseFlattening)))
        }
        return Projection(attributes: attributes)
    }
}

extension Projection {
    /// Attributes that determine coordinates; two projections must agree in all that both state.
    private static let decisive = [
        "standard_parallel", "latitude_of_projection_origin",
        "straight_vertical_longitude_from_pole", "scale_factor_at_projection_origin", "false_easting", "false_northing",
    ]

    /// The first decisive attribute in which two projections differ, or their EPSG codes: systems described by text alone differ
    /// in nothing else.
    func firstDifference(from other: Projection) -> (attribute: String, mine: String, other: String)? {
        if let mine = mappingName, let name = other.mappingName, mine != name {
            return ("grid_mapping_name", quoted(mine), quoted(name))
        }
        for name in Projection.decisive {
            switch (self[name], other[name]) {
            case (.number(let a)?, .number(let b)?) where !isSame(name, a, b): return (name, plain(a), plain(b))
            case (.text(let a)?, .text(let b)?) where a != b: return (name, quoted(a), quoted(b))
            default: continue
            }
        }
        if let place = testPlace, let same = other.testPlace, abs(place.x - same.x) + abs(place.y - same.y) > 10 {
            return ("scale", "\(plain(place.y)) m from the pole at 75 degrees", "\(plain(same.y)) m")
        }
        guard hasCodeOrText || other.hasCodeOrText, let mine = epsgCode, let other = other.epsgCode, mine != other
        else { return nil }
        return ("EPSG code", String(mine), String(other))
    }

    /// Where a polar stereographic projection has a place of the same latitude and of the meridian that is straight: projections that
    /// state different attributes are compared by it.
    private var testPlace: (x: Double, y: Double)? {
        guard let pole = number("latitude_of_projection_origin"),
            let meridian = number("straight_vertical_longitude_from_pole"),
            let place = PolarProjection(self)?.position(longitude: meridian, latitude: pole < 0 ? -75 : 75)
        else { return nil }
        return place.x.isFinite && place.y.isFinite ? place : nil
    }

    private func isSame(_ name: String, _ a: Double, _ b: Double) -> Bool {
        name.contains("longitude") ? isSameLongitude(a, b) : abs(a - b) <= 1e-6
    }
}

func lastComponent(of path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
}
