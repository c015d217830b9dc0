import Fields
import MapProjections
import NetCDFFiles
import TOMLKit

/// A product's variable names and how it marks missing data: one file of the folder Schemas, checked when decoded.
/// Unknown keys are rejected, so that a misspelt one is not silently ignored.
public struct ProductSchema: Decodable, Sendable {
    /// How a file of the product is recognised.
    public struct Recognition: Decodable, Sendable {
        /// One of these global attributes must exist and contain one of the texts, in any case; any text, where none is given.
        public struct Mark: Decodable, Sendable {
            public var attributes: [String]
            public var text: [String]?
        }

        /// All of these must exist.
        public var variables: [String]
        /// All of these must hold.
        public var marks: [Mark]?
    }

    /// A number written with or without a decimal point: TOML distinguishes the two.
    public struct Number: Decodable, Sendable {
        public var value: Double

        public init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let whole = try? container.decode(Int.self) {
                value = Double(whole)
            } else {
                value = try container.decode(Double.self)
            }
        }
    }

    /// Here and below, names are tried in order, and the first that the file has is used.
    public struct Coordinates: Decodable, Sendable {
        public var x: [String]
        public var y: [String]
        /// Unit of a product that is known to state none.
        public var unitIfMissing: String?
        /// ["x", "y"] or ["y", "x"]: the order of a field's dimensions, where coordinate vectors share none by name.
        public var order: [String]?

        enum CodingKeys: String, CodingKey {
            case x, y, order
            case unitIfMissing = "units_if_missing"
        }
    }

    /// Global attributes that define the grid of a product without coordinates, from its first cell (smallest x, largest y).
    public struct GridAttributes: Decodable, Sendable {
        public var xFirst: String
        public var yFirst: String
        public var spacing: String
        /// Names of the dimensions of x and y.
        public var xDimension: [String]
        public var yDimension: [String]

        enum CodingKeys: String, CodingKey {
            case spacing
            case xFirst = "x_first"
            case yFirst = "y_first"
            case xDimension = "x_dimension"
            case yDimension = "y_dimension"
        }
    }

    public struct ProjectionNames: Decodable, Sendable {
        /// Used where a field does not name its grid mapping.
        public var variables: [String]
        /// "WGS84" for a product on that ellipsoid, whether or not its grid mapping gives the axes.
        public var ellipsoid: String?
        /// EPSG code of the product's reference system, used where the file states none.
        public var epsg: Int?
    }

    public struct Velocity: Decodable, Sendable {
        public var x: [String]
        public var y: [String]
        public var errorX: [String]?
        public var errorY: [String]?
        /// Values that mean "no data", in addition to NaN and what the file declares.
        public var noData: [Number]?
        /// Unit of a product that is known to state none.
        public var unitIfMissing: String?

        enum CodingKeys: String, CodingKey {
            case x, y
            case errorX = "error_x"
            case errorY = "error_y"
            case noData = "no_data"
            case unitIfMissing = "units_if_missing"
        }
    }

    public struct Thickness: Decodable, Sendable {
        public var variable: [String]
        public var error: [String]?
        public var noData: [Number]?
        public var unitIfMissing: String?
        /// Global attribute that holds the value for missing data.
        public var noDataAttribute: String?
        /// Global attributes with densities [kg m⁻³].
        public var iceDensityAttribute: String?
        public var seaWaterDensityAttribute: String?
        /// The bed: where given, `variable` is the height of the surface, and the thickness is the difference.
        public var minus: [String]?
        /// Names of the coordinates, where the thickness has a grid of its own in the file.
        public var x: [String]?
        public var y: [String]?
        /// A note for users of this thickness, shown as a warning.
        public var note: String?

        enum CodingKeys: String, CodingKey {
            case variable, error, minus, x, y, note
            case noData = "no_data"
            case unitIfMissing = "units_if_missing"
            case noDataAttribute = "no_data_attribute"
            case iceDensityAttribute = "ice_density_attribute"
            case seaWaterDensityAttribute = "sea_water_density_attribute"
        }
    }

    public struct Surface: Decodable, Sendable {
        public var variable: [String]
        public var noData: [Number]?
        public var unitIfMissing: String?
        /// Global attribute that holds the value for missing data.
        public var noDataAttribute: String?

        enum CodingKeys: String, CodingKey {
            case variable
            case noData = "no_data"
            case unitIfMissing = "units_if_missing"
            case noDataAttribute = "no_data_attribute"
        }
    }

    /// One variable with codes, or a layer for each cover.
    public struct Mask: Decodable, Sendable {
        /// A variable that is present and non-zero where its cover is.
        public struct Layer: Decodable, Sendable {
            public var variable: String
            public var cover: String
        }

        public var variable: [String]?
        /// Codes and words by the name of the cover they mean ("ocean", ...).
        public var codes: [String: [Int]]?
        /// Words of flag_meanings; they take precedence over the codes.
        public var words: [String: [String]]?
        /// The cover of cells without a value; nil: unknown.
        public var noData: String?
        /// The first layer that contains a cell determines its cover; a cell in none is unknown.
        public var layers: [Layer]?

        public var coverOfCode: [Int: IceMask] { Mask.inverted(codes ?? [:]) }
        public var coverOfWord: [String: IceMask] { Mask.inverted(words ?? [:]) }
        public var coverOfNoData: IceMask? { noData.flatMap(IceMask.init(name:)) }

        enum CodingKeys: String, CodingKey {
            case variable, codes, words, layers
            case noData = "no_data"
        }

        private static func inverted<Key: Hashable>(_ table: [String: [Key]]) -> [Key: IceMask] {
            var inverse: [Key: IceMask] = [:]
            for (name, keys) in table {
                for key in keys { inverse[key] = IceMask(name: name) }
            }
            return inverse
        }
    }

    /// Points of the calving front in the file, with their outward normals.
    public struct Front: Decodable, Sendable {
        public var x: String
        public var y: String
        /// Two numbers for each point.
        public var normal: String
    }

    public var name: String
    public var id: String
    public var version: String
    public var doi: String
    /// Where the product is described, if it has no known DOI.
    public var page: String?
    public var recognize: Recognition
    public var coordinates: Coordinates
    public var grid: GridAttributes?
    public var projection: ProjectionNames?
    public var velocity: Velocity?
    public var thickness: Thickness?
    public var surface: Surface?
    public var mask: Mask?
    public var front: Front?

    /// - Parameter isOfUser: the file is not part of the catalog, so its mistakes are its author's.
    public init(toml: String, called file: String, isOfUser: Bool = false) throws {
        let refused = { (reason: String) in PlainFailure.badSchema(file, reason, isOfUser: isOfUser) }
        if let fault = TOMLFault(in: toml) { throw refused("line \(fault.line): \(fault.reason)") }
        do {
            self = try LibraryCrash.guarded(reading: file) {
                try TOMLDecoder(strictDecoding: true).decode(ProductSchema.self, from: toml)
            }
        } catch {
            throw refused(ProductSchema.reason(of: error))
        }
        let units = [
            velocity?.unitIfMissing, thickness?.unitIfMissing, surface?.unitIfMissing, coordinates.unitIfMissing,
        ]
        for text in units.compactMap({ $0 }) where Unit(text) == nil { throw refused("unknown unit \(quoted(text))") }
        if isOfUser, let code = projection?.epsg, ReferenceSystem(epsg: code)?.attributes == nil {
            throw refused(
                "projection.epsg \(code) is not a polar stereographic system on WGS 84 in PROJ's database; expected one like 3031 or 3413 (if it is, check PROJ_DATA and PROJ_LIB)"
            )
        }
        if let order = coordinates.order, Set(order) != ["x", "y"] {
            throw refused("coordinates.order is \(order), expected [\"x\", \"y\"] or [\"y\", \"x\"]")
        }
        if let mask {
            let covers =
                Array((mask.codes ?? [:]).keys) + Array((mask.words ?? [:]).keys) + (mask.layers ?? []).map(\.cover)
                + [mask.noData].compactMap { $0 }
            let known = IceMask.allCases.map(\.name).sorted()
            if let name = covers.first(where: { !known.contains($0) }) {
                throw refused("unknown mask cover \(quoted(name)); known are \(known.joined(separator: ", "))")
            }
            if (mask.variable == nil) == (mask.layers == nil) {
                throw refused("mask needs either 'variable' or 'layers'")
            }
        }
        if velocity == nil, thickness == nil { throw refused("has neither [velocity] nor [thickness]") }
    }

    /// Whether it is the fallback for files that no specific schema recognises.
    public var isGeneral: Bool { recognize.variables.isEmpty && (recognize.marks ?? []).isEmpty }

    /// "NSIDC-0754 v1, MEaSUREs Phase-Based Antarctica Ice Velocity Map, doi:10.5067/PZ3NJ5RXRH10"
    public var citation: String {
        if isGeneral { return name }
        let source = doi.isEmpty ? page : "doi:\(doi)"
        return "\(id)\(version.isEmpty ? "" : " v\(version)"), \(name)\(source.map { ", \($0)" } ?? "")"
    }

    /// What is wrong with a schema, in TOML's terms.
    private static func reason(of error: any Error) -> String {
        func place(_ path: [any CodingKey], _ key: String? = nil) -> String {
            let names = path.map(\.stringValue)
            // The decoder sometimes, but not always, includes a missing key in the path to it.
            return (names + (key.map { names.last == $0 ? [] : [$0] } ?? [])).joined(separator: ".")
        }
        return switch error {
        case let parse as TOMLParseError: "line \(parse.source.begin.line) is not TOML: \(quoted(parse.description))"
        case let unknown as UnexpectedKeysError:
            "unknown key \(unknown.keys.keys.sorted().map(quoted).joined(separator: ", "))"
        case DecodingError.keyNotFound(let key, let context): "no key '\(place(context.codingPath, key.stringValue))'"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            "'\(place(context.codingPath))' has the wrong type"
        default: String(describing: error)
        }
    }
}
