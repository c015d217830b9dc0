import Fields

/// What can be wrong with products, with the evidence. Wording of every message is below, in one place.
public enum IngestError: Failure {
    case badSchema(name: String, reason: String, isOfUser: Bool)
    case noSchema(path: String, reason: String)
    case schemaFitsNothing(name: String, reasons: [(file: String, reason: String)])
    case geoTIFF(path: String)
    case unstructured(String, coordinate: String, path: String)
    case badGridAttribute(String, path: String, found: String, isPresent: Bool)
    case badFront(path: String, reason: String)
    case noVelocity(path: String, isThickness: Bool, sought: [String], present: [String])
    case noThickness(velocity: String, unreadable: [String], isGreenland: Bool)
    case searchTooLong(velocity: String, unreadable: [String], unseen: Int)
    case noThicknessIn(path: String, sought: [String], present: [String])
    case severalThicknessFiles([String])
    case noMask(path: String, sought: [String], present: [String])
    case missingPartner(String, of: String, path: String)
    case noCoordinates(variable: String, path: String, sought: [String], present: [String])
    case badCoordinate(String, path: String, reason: String)
    case unevenAxis(String, path: String, index: Int, step: Double, usual: Double)
    case shapesDisagree(String, [Int], String, [Int], path: String)
    case notNumbers(String, path: String)
    case furtherDimension(String, [Int], dimension: String, length: Int, path: String)
    case implausible(variable: String, path: String, what: String, found: String, expected: String)
    case gridTooLarge(path: String, rows: Int, columns: Int)
    case missingUnit(variable: String, path: String, expected: String)
    case unknownUnit(String, variable: String, path: String, expected: String)
    case badAttribute(String, variable: String, path: String, found: String, expected: String)
    case componentInOtherUnit(variable: String, other: String, path: String, ratio: Double, looksLike: String)
    case constantVelocity(String, Double, String, Double, path: String, cells: Int)
    case maskFlagsDisagree(variable: String, path: String, values: Int, meanings: Int)
    case unknownMaskValue(Double, variable: String, path: String, known: [Int])
    case unknownMaskMeaning(String, variable: String, path: String, known: [String])
    case emptyRegion(Region, path: String, extent: Region)
    case gridsDoNotOverlap(String, Region, String, Region)
    case projectionsDiffer(attribute: String, String, path: String, String, otherPath: String)
    case noIce(IceMask, path: String, variable: String, inRegion: Bool)
    case noIceInside(IceMask, path: String, polygon: String?, shelf: String?)
    case noSurfaceIn(path: String, sought: [String], present: [String])
    case nothingValid(
        variable: String, path: String, iceCells: Int, ice: IceMask, invalid: Int, of: [String])
    case nothingInCommon(velocity: String, thickness: String, ice: IceMask)
    case outputIsInput(path: String)
    case readerFailed(path: String, how: String)
    case noReader(path: String, reason: String)

    public var kind: FailureKind {
        switch self {
        case .noThickness, .searchTooLong, .noSchema: .missingInput
        case .severalThicknessFiles, .outputIsInput, .schemaFitsNothing: .usage
        case .noReader: .system
        case .badSchema(_, _, let isOfUser): isOfUser ? .badData : .software
        default: .badData
        }
    }

    public var explanation: String {
        switch self {
        case .badSchema(let name, let reason, let isOfUser):
            "schema \(name): \(reason); \(isOfUser ? "correct it, its keys are listed in Schemas/README.md" : "this is a mistake of the program, please report it")"
        case .noSchema(let path, let reason):
            "\(path): cannot read the schema: \(reason); check the path after --schema"
        case .schemaFitsNothing(let name, let reasons):
            "--schema \(name) fits none of the files: \(reasons.map { "of \($0.file), \($0.reason)" }.joined(separator: "; ")); correct its section [recognize]"
        case .geoTIFF(let path):
            "\(path): a GeoTIFF, which is not supported; convert it to NetCDF with: gdal_translate -of netCDF \(shellWord(path)) OUT.nc, and name its variable in a schema (--schema)"
        case .unstructured(let variable, let coordinate, let path):
            "\(path): variable \(quoted(variable)) is given on scattered points (as is \(quoted(coordinate))), not on a grid; interpolate it to a grid first, in ISSM with InterpFromMeshToGrid"
        case .badGridAttribute(let name, let path, let found, let isPresent):
            isPresent
                ? "\(path): global attribute \(quoted(name)) is \(quoted(found)), expected a length such as '-2800000.0 m'; download the file again or correct the attribute"
                : "\(path): no global attribute \(quoted(name)), which gives the position of the cells; download the complete product again"
        case .badFront(let path, let reason):
            "\(path): \(reason); each point of a front needs a position and an outward normal"
        case .noVelocity(let path, let isThickness, let sought, let present):
            isThickness
                ? "\(path): holds ice thickness but no velocity; name the velocity file first and this one after --thickness"
                : "\(path): no velocity found: none of \(list(sought)) among its variables \(list(present)); give a velocity product such as NSIDC-0754 or NSIDC-0484"
        case .noThickness(let velocity, let unreadable, let isGreenland):
            "\(velocity): has no ice thickness, and its folder has no file with thickness and mask that covers it\(unreadable.isEmpty ? "" : " (unreadable: \(list(unreadable)))"); get BedMachine \(isGreenland ? "Greenland (https://nsidc.org/data/idbmg4)" : "Antarctica (https://nsidc.org/data/nsidc-0756)") and put it in that folder, or give it with --thickness BEDMACHINE.nc"
        case .searchTooLong(let velocity, let unreadable, let unseen):
            "\(velocity): the search for a thickness file in its folder took too long: \(list(unreadable)) could not be read\(unseen == 0 ? "" : ", and \(unseen) files were not tried"); give the thickness with --thickness BEDMACHINE.nc"
        case .noThicknessIn(let path, let sought, let present):
            "\(path): no ice thickness found: none of \(list(sought)) among its variables \(list(present)); give a thickness product such as BedMachine Antarctica with --thickness"
        case .severalThicknessFiles(let names):
            "several files in the folder of the velocity have a thickness for it: \(list(names)); choose one with --thickness"
        case .noMask(let path, let sought, let present):
            "\(path): no ice mask found: none of \(list(sought)) among its variables \(list(present)); the mask tells floating from grounded ice, so give a thickness product that has one, such as BedMachine Antarctica"
        case .missingPartner(let name, let other, let path):
            "\(path): no variable \(quoted(name)), the counterpart of \(quoted(other)); download the complete product again"
        case .noCoordinates(let variable, let path, let sought, let present):
            "\(path): variable \(quoted(variable)) has no coordinates: none of \(list(sought)) is a variable over one of its dimensions \(list(present)); the file needs projection coordinates x and y of its cell centres"
        case .badCoordinate(let name, let path, let reason):
            "\(path): coordinate \(quoted(name)) \(reason); the file needs evenly spaced projection coordinates of its cell centres"
        case .unevenAxis(let name, let path, let index, let step, let usual):
            "\(path): coordinate \(quoted(name)) is not evenly spaced: the step at index \(index) is \(step) m, others are \(usual) m; regrid the file to even spacing"
        case .shapesDisagree(let a, let shapeA, let b, let shapeB, let path):
            "\(path): variables \(quoted(a)) \(shape(shapeA)) and \(quoted(b)) \(shape(shapeB)) are not on the same grid; download or create the file again"
        case .notNumbers(let variable, let path):
            "\(path): variable \(quoted(variable)) holds text, expected numbers; download or create the file again"
        case .furtherDimension(let variable, let lengths, let dimension, let length, let path):
            "\(path): variable \(quoted(variable)) \(shape(lengths)) has \(length) values along \(quoted(dimension)) for each cell, expected one; select one, for example with: ncks -d \(shellWord(dimension)),0 \(shellWord(path)) OUT.nc"
        case .implausible(let variable, let path, let what, let found, let expected):
            "\(path): variable \(quoted(variable)) has a median \(what) of \(found), expected \(expected); is its attribute 'units' right?"
        case .gridTooLarge(let path, let rows, let columns):
            "\(path): a grid of \(rows) x \(columns) cells is too large to be real; crop it with --region"
        case .missingUnit(let variable, let path, let expected):
            "\(path): variable \(quoted(variable)) has no units; add the attribute, for example with: ncatted -a units,\(variable),c,c,'\(expected)' \(shellWord(path))"
        case .unknownUnit(let unit, let variable, let path, _) where unit.lowercased().hasPrefix("degree"):
            "\(path): variable \(quoted(variable)) is in \(quoted(unit)): a grid of longitude and latitude; the equations need metres, so reproject it to polar stereographic coordinates first, for Antarctica with gdalwarp -t_srs EPSG:3031 (vector components must be rotated as well)"
        case .unknownUnit(let unit, let variable, let path, let expected):
            "\(path): variable \(quoted(variable)) has the unknown unit \(quoted(unit)); expected one like '\(expected)'"
        case .badAttribute(let name, let variable, let path, let found, let expected):
            "\(path): attribute \(quoted(name)) of variable \(quoted(variable)) is \(found), expected \(expected); download the file again or correct the attribute"
        case .componentInOtherUnit(let variable, let other, let path, let ratio, let looksLike):
            "\(path): variables \(quoted(variable)) and \(quoted(other)) differ by a factor of \(Int(ratio.rounded())), as if \(quoted(variable)) were in \(looksLike); correct its attribute 'units'"
        case .constantVelocity(let x, let u, let y, let v, let path, let cells):
            "\(path): variables \(quoted(x)) and \(quoted(y)) are \(plain(u)) and \(plain(v)) m yr-1 on all \(cells) ice cells; a constant velocity is not a measurement, check the file"
        case .maskFlagsDisagree(let variable, let path, let values, let meanings):
            "\(path): variable \(quoted(variable)) has \(values) flag_values and \(meanings) flag_meanings; each value needs a meaning, correct the attributes"
        case .unknownMaskValue(let value, let variable, let path, let known):
            "\(path): variable \(quoted(variable)) holds \(plain(value)), known are \(known.map(String.init).joined(separator: ", ")); check the version of the product, or give the mask flag_values and flag_meanings"
        case .unknownMaskMeaning(let word, let variable, let path, let known):
            "\(path): variable \(quoted(variable)) has the flag meaning \(quoted(word)); known are \(list(known))"
        case .emptyRegion(let region, let path, let extent):
            "\(path): fewer than 2 x 2 of its cells are in the region \(text(region)); it covers \(text(extent)); choose --region xmin,xmax,ymin,ymax within that"
        case .gridsDoNotOverlap(let path, let extent, let other, let otherExtent):
            "\(path) covers \(text(extent)) and \(other) covers \(text(otherExtent)): they do not overlap; give files of the same area"
        case .projectionsDiffer(let attribute, let value, let path, let otherValue, let otherPath):
            "\(path) has \(quoted(attribute)) \(value) in its projection and \(otherPath) has \(otherValue): their coordinates are not comparable; reproject one of them to the projection of the other"
        case .noIce(let ice, let path, let variable, let inRegion):
            "\(path): variable \(quoted(variable)) has no \(ice.adjective) ice\(inRegion ? " in the region; choose another --region" : "; give a file that covers an \(ice.body)")"
        case .noIceInside(let ice, let path, let polygon, let shelf):
            "\(path): no \(ice.adjective) ice \(polygon.map { "inside the polygon of \($0)" } ?? "")\(polygon != nil && shelf != nil ? " " : "")\(shelf.map { "on the shelf \(quoted($0)) in the region" } ?? ""); check that the polygon is where the ice is, and --mask"
        case .noSurfaceIn(let path, let sought, let present):
            "\(path): no surface height found: none of \(list(sought)) among its variables \(list(present)); grounded ice needs it, so give a product that has one, such as BedMachine Antarctica, with --thickness"
        case .nothingValid(_, let path, let cells, let ice, let invalid, let names) where invalid > 0:
            "\(path): on \(invalid) of the \(cells) \(ice.adjective) cells \(names.map(quoted).joined(separator: ", ")) is outside the variable's valid_range, valid_min or valid_max, and the others have no data; remove the attribute if it does not belong to these data"
        case .nothingValid(let variable, let path, let cells, let ice, _, _):
            "\(path): variable \(quoted(variable)) has no data on any of the \(cells) \(ice.adjective) cells; check that the file is complete and covers the \(ice.body)"
        case .nothingInCommon(let velocity, let thickness, let ice):
            "\(velocity) and \(thickness): no \(ice.adjective) cell has both velocity and thickness; give files of the same \(ice.body)"
        case .outputIsInput(let path):
            "\(path): the store would replace its own input; choose another name with -o"
        case .readerFailed(let path, let how):
            "\(path): so damaged that the process that reads it \(how); download it again"
        case .noReader(let path, let reason):
            "\(path): cannot start the process that reads it: \(reason); check the limits of this shell with 'ulimit -a'"
        }
    }

    private func list(_ names: [String]) -> String {
        names.isEmpty ? "(none)" : names.prefix(20).map(quoted).joined(separator: ", ")
    }

    private func shape(_ lengths: [Int]) -> String {
        "(\(lengths.map(String.init).joined(separator: ", ")))"
    }

    private func text(_ region: Region) -> String {
        [region.xMin, region.xMax, region.yMin, region.yMax].map { plain($0) }.joined(separator: ",")
    }
}

/// A number without a trailing ".0".
func plain(_ number: Double) -> String {
    if number == number.rounded(), abs(number) < 1e15 { return String(Int(number)) }
    return String(number)
}

extension IceMask {
    /// The name a user would use.
    fileprivate var body: String { self == .floatingIce ? "ice shelf" : "ice stream" }
}
