import Fields
import NetCDFFiles

/// An open product with the schema that reads it.
struct ProductFile {
    let file: any ProductContainer
    let schema: ProductSchema

    var path: String { file.path }
    /// The name without the folders: what is shown and recorded.
    var name: String { lastComponent(of: path) }
    var variableNames: [String] { file.arrays.map(\.name) + file.others }

    init(path: String, catalog: ProductCatalog? = nil) throws {
        file = try openProduct(path: path)
        schema = try (catalog ?? ProductCatalog()).schema(for: file)
    }

    var hasVelocity: Bool { velocityX != nil || velocityY != nil }
    var hasThickness: Bool { thickness != nil }
    var hasMask: Bool { mask != nil }

    var velocityX: (any ProductArray)? { first(schema.velocity?.x) }
    var velocityY: (any ProductArray)? { first(schema.velocity?.y) }
    var thickness: (any ProductArray)? { first(schema.thickness?.variable) }
    var surface: (any ProductArray)? { first(schema.surface?.variable) }
    var mask: (any ProductArray)? { first(schema.mask?.variable) ?? maskLayers.first?.array }

    /// The layers that the mask is made of, as far as the file has them.
    var maskLayers: [(array: any ProductArray, cover: IceMask)] {
        (schema.mask?.layers ?? []).compactMap { layer in
            guard let array = file.array(layer.variable), let cover = IceMask(name: layer.cover) else { return nil }
            return (array, cover)
        }
    }

    /// The first of the names that the file has.
    func first(_ names: [String]?) -> (any ProductArray)? {
        for name in names ?? [] {
            if let array = file.array(name) { return array }
        }
        return nil
    }

    /// Names of the coordinates of a field: the thickness may have its own.
    func coordinates(of field: any ProductArray) -> ProductSchema.Coordinates {
        var names = schema.coordinates
        guard let thickness = schema.thickness, let x = thickness.x, let y = thickness.y,
            (thickness.variable + (thickness.error ?? []) + (thickness.minus ?? [])).contains(field.name)
        else { return names }
        (names.x, names.y) = (x, y)
        return names
    }

    /// Both components, from the same place in the schema's two lists ("vx" goes with "vy").
    func velocityComponents() throws -> (x: any ProductArray, y: any ProductArray) {
        let namesX = schema.velocity?.x ?? []
        let namesY = schema.velocity?.y ?? []
        for (nameX, nameY) in zip(namesX, namesY) {
            switch (file.array(nameX), file.array(nameY)) {
            case (let x?, let y?): return (x, y)
            case (.some, nil): throw IngestError.missingPartner(nameY, of: nameX, path: path)
            case (nil, .some): throw IngestError.missingPartner(nameX, of: nameY, path: path)
            case (nil, nil): continue
            }
        }
        throw IngestError.noVelocity(
            path: path, isThickness: hasThickness, sought: namesX + namesY, present: variableNames)
    }

    /// A density that the product states [kg m⁻³].
    func density(_ attribute: String?) -> Double? {
        guard let attribute, let number = file.attribute(attribute)?.number, number.isFinite, number > 0 else {
            return nil
        }
        return number
    }

    /// Values of the thickness that mean "no data" besides NaN and what the variable declares.
    var noThickness: [Double] {
        let stated = schema.thickness?.noDataAttribute.flatMap { file.attribute($0)?.number }
        return ((schema.thickness?.noData ?? []).map(\.value)) + (stated.map { [$0] } ?? [])
    }

    // MARK: projection

    /// The grid mapping of a field as CF attributes, or that of the product where the file states none; nil where neither does.
    func projection(of field: any ProductArray) -> Projection? {
        let named = field.attribute("grid_mapping")?.text
        // CF: in the group of the field, or in one around it.
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
            let known = PolarSystem.known.first { $0.code == schema.projection?.epsg }
            return known.map { Projection(attributes: $0.attributes) }
        }
        // A GeoTransform speaks of the whole grid, and GDAL believes it before the coordinates; bounds do the like.
        let misleading: Set<String> = ["GeoTransform", "geotransform", "_FillValue"]
        var attributes = mapping.attributeNames.filter {
            !misleading.contains($0) && NetCDFFile.canWrite(attribute: $0)
        }.compactMap {
            name -> (name: String, value: Projection.Value)? in
            switch mapping.attribute(name) {
            case .text(let text): (name, .text(text))
            case .numbers(let numbers) where numbers.count == 1: (name, .number(numbers[0]))
            default: nil
            }
        }
        // GDAL and xarray may write nothing but well-known text. Of a system that is known, the parameters are put beside it:
        // whoever reads the store or the prediction finds them where CF has them.
        if mapping.attribute("grid_mapping_name") == nil {
            let code = Projection(attributes: attributes).codeOfText
            guard let known = PolarSystem.known.first(where: { $0.code == code }) else {
                return Projection(attributes: attributes)
            }
            attributes.removeAll { attribute in known.attributes.contains { $0.name == attribute.name } }
            return Projection(attributes: known.attributes + attributes)
        }
        // ITS_LIVE calls the parallel of true scale so, and gave the shorter axis in kilometres.
        if mapping.attribute("standard_parallel") == nil, let number = mapping.attribute("latitude_of_origin")?.number {
            attributes.append((name: "standard_parallel", value: .number(number)))
        }
        attributes.removeAll { name, value in
            guard name == "semi_minor_axis", case .number(let length) = value else { return false }
            return length < 1e6
        }
        let ellipsoid = mapping.attribute("ellipsoid")?.text ?? schema.projection?.ellipsoid ?? ""
        let isWGS84 = ellipsoid.filter { $0.isLetter || $0.isNumber }.uppercased() == "WGS84"
        let hasAxes = ["semi_major_axis", "semi_minor_axis", "earth_radius", "inverse_flattening"].contains { name in
            attributes.contains { $0.name == name }
        }
        if isWGS84, !hasAxes {
            attributes.append((name: "semi_major_axis", value: .number(6_378_137)))
            attributes.append((name: "inverse_flattening", value: .number(298.257223563)))
        }
        return Projection(attributes: attributes)
    }
}

extension Projection {
    /// What decides where a pair of coordinates lies; two projections may not differ in any that both state.
    private static let decisive = [
        "grid_mapping_name", "standard_parallel", "latitude_of_projection_origin",
        "straight_vertical_longitude_from_pole", "false_easting", "false_northing",
    ]

    /// The first decisive attribute in which two projections differ; of systems that only a text describes, its EPSG code.
    func firstDifference(from other: Projection) -> (attribute: String, mine: String, other: String)? {
        for name in Projection.decisive {
            switch (self[name], other[name]) {
            case (.number(let a)?, .number(let b)?) where !isSame(name, a, b): return (name, plain(a), plain(b))
            case (.text(let a)?, .text(let b)?) where a != b: return (name, quoted(a), quoted(b))
            default: continue
            }
        }
        let codes = (mine: codeOfText ?? codeOfParameters, other: other.codeOfText ?? other.codeOfParameters)
        if let mine = codes.mine, let other = codes.other, mine != other {
            return ("EPSG code", String(mine), String(other))
        }
        return nil
    }

    private func isSame(_ name: String, _ a: Double, _ b: Double) -> Bool {
        name.contains("longitude") ? isSameLongitude(a, b) : abs(a - b) <= 1e-6
    }
}

func lastComponent(of path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
}
