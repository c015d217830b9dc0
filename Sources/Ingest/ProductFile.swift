import Fields
import NetCDFFiles

/// An open product with the schema that reads it.
struct ProductFile {
    let file: NetCDFFile
    let schema: ProductSchema

    var path: String { file.path }
    /// The name without the folders: what is shown and recorded.
    var name: String { lastComponent(of: path) }
    var variableNames: [String] { file.variables.map(\.name) }

    init(path: String) throws {
        file = try NetCDFFile(reading: path)
        schema = try ProductCatalog.schema(for: file)
    }

    var hasVelocity: Bool { velocityX != nil || velocityY != nil }
    var hasThickness: Bool { thickness != nil }
    var hasMask: Bool { mask != nil }

    var velocityX: Variable? { first(schema.velocity?.x) }
    var velocityY: Variable? { first(schema.velocity?.y) }
    var thickness: Variable? { first(schema.thickness?.variable) }
    var surface: Variable? { first(schema.surface?.variable) }
    var mask: Variable? { first(schema.mask?.variable) }

    /// The first of the names that the file has.
    func first(_ names: [String]?) -> Variable? {
        for name in names ?? [] {
            if let variable = file.variable(name) { return variable }
        }
        return nil
    }

    /// Both components, from the same place in the schema's two lists ("vx" goes with "vy").
    func velocityComponents() throws -> (x: Variable, y: Variable) {
        let namesX = schema.velocity?.x ?? []
        let namesY = schema.velocity?.y ?? []
        for (nameX, nameY) in zip(namesX, namesY) {
            switch (file.variable(nameX), file.variable(nameY)) {
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
        return (schema.thickness?.noData ?? []) + (stated.map { [$0] } ?? [])
    }

    // MARK: projection

    /// The grid mapping of a field as CF attributes; nil where the file states none.
    func projection(of field: Variable) -> Projection? {
        let named = field.attribute("grid_mapping")?.text
        let candidates = (named.map { [$0] } ?? []) + (schema.projection?.variables ?? [])
        guard
            let mapping = candidates.lazy.compactMap({ file.variable($0) }).first(where: { variable in
                (["grid_mapping_name"] + Projection.textAttributes).contains { variable.attribute($0) != nil }
            })
        else { return nil }
        // A GeoTransform speaks of the whole grid, and GDAL believes it before the coordinates; bounds do the like.
        let misleading: Set<String> = ["GeoTransform", "geotransform", "_FillValue"]
        var attributes = mapping.attributeNames.filter { !misleading.contains($0) }.compactMap {
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
        let ellipsoid = mapping.attribute("ellipsoid")?.text ?? schema.projection?.ellipsoid ?? ""
        let isWGS84 = ellipsoid.filter { $0.isLetter || $0.isNumber }.uppercased() == "WGS84"
        let hasAxes = ["semi_major_axis", "semi_minor_axis", "earth_radius", "inverse_flattening"].contains {
            mapping.attribute($0) != nil
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
