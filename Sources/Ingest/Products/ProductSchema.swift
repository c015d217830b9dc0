import Fields
import NetCDFFiles
import TOMLKit

/// What a product calls things and how it marks missing data: one file of the folder Schemas, checked when decoded.
/// Unknown keys are refused, so that a misspelt one is not silence.
public struct ProductSchema: Decodable, Sendable {
    /// How a file of the product is told from others.
    public struct Recognition: Decodable, Sendable {
        /// One of these global attributes must be there and hold one of the texts, whatever its case; any, where no text is given.
        public struct Mark: Decodable, Sendable {
            public var attributes: [String]
            public var text: [String]?
        }

        /// All of these must be there.
        public var variables: [String]
        /// All of these must hold.
        public var marks: [Mark]?
    }

    /// A number that may be written with a point or without: TOML has two kinds.
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

    /// In all of the following, names are tried in order and the first that the file has is taken.
    public struct Coordinates: Decodable, Sendable {
        public var x: [String]
        public var y: [String]
        /// Unit of a product that is known to give none.
        public var unitIfMissing: String?
        /// ["x", "y"] or ["y", "x"]: how a field's dimensions stand, where vectors of coordinates share none by name.
        public var order: [String]?

        enum CodingKeys: String, CodingKey {
            case x, y, order
            case unitIfMissing = "units_if_missing"
        }
    }

    /// Global attributes that tell the grid of a product without coordinates, from its first cell (least x, largest y).
    public struct GridAttributes: Decodable, Sendable {
        public var xFirst: String
        public var yFirst: String
        public var spacing: String
        /// Names of the dimensions along which x and y run.
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
        /// "WGS84": the product is on it, whether or not its grid mapping gives the axes.
        public var ellipsoid: String?
        /// The number of the product's reference system, used where the file states none.
        public var epsg: Int?
    }

    public struct Velocity: Decodable, Sendable {
        public var x: [String]
        public var y: [String]
        public var errorX: [String]?
        public var errorY: [String]?
        /// Values that mean "no data" besides NaN and what the file declares.
        public var noData: [Number]?
        /// Unit of a product that is known to give none.
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
        /// Global attribute that declares a value for missing data.
        public var noDataAttribute: String?
        /// Global attributes with densities [kg m⁻³].
        public var iceDensityAttribute: String?
        public var seaWaterDensityAttribute: String?
        /// The variable is the height of the surface; the thickness is what lies between it and this one, the bed.
        public var minus: [String]?
        /// Names of the coordinates, where the thickness has a grid of its own in the file.
        public var x: [String]?
        public var y: [String]?
        /// What a user of this thickness must know.
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
        /// Global attribute that declares a value for missing data.
        public var noDataAttribute: String?

        enum CodingKeys: String, CodingKey {
            case variable
            case noData = "no_data"
            case unitIfMissing = "units_if_missing"
            case noDataAttribute = "no_data_attribute"
        }
    }

    /// One variable with codes, or layers with a cover each.
    public struct Mask: Decodable, Sendable {
        /// A variable that is neither missing nor zero where its cover is.
        public struct Layer: Decodable, Sendable {
            public var variable: String
            public var cover: String
        }

        public var variable: [String]?
        /// Codes and words by the name of the cover they mean ("ocean", ...).
        public var codes: [String: [Int]]?
        /// Words of flag_meanings; these count before the codes.
        public var words: [String: [String]]?
        /// The cover of cells without a value; absent: the product does not say.
        public var noData: String?
        /// The first layer that has a cell tells its cover; of a cell in none the product does not say.
        public var layers: [Layer]?

        public var coverOfCode: [Int: IceMask] { Mask.inverted(codes ?? [:]) }
        public var coverOfWord: [String: IceMask] { Mask.inverted(words ?? [:]) }
        public var coverOfNoData: IceMask? { noData.flatMap { Mask.covers[$0] } }

        enum CodingKeys: String, CodingKey {
            case variable, codes, words, layers
            case noData = "no_data"
        }

        /// The covers by the names that stores, predictions and schemas give them.
        static let covers: [String: IceMask] = Dictionary(
            uniqueKeysWithValues: zip(IceMask.flagMeanings.split(separator: " ").map(String.init), IceMask.allCases))

        private static func inverted<Key: Hashable>(_ table: [String: [Key]]) -> [Key: IceMask] {
            var inverse: [Key: IceMask] = [:]
            for (name, keys) in table {
                for key in keys { inverse[key] = covers[name] }
            }
            return inverse
        }
    }

    /// Points of the calving front that the file brings, with their outward normals.
    public struct Front: Decodable, Sendable {
        public var x: String
        public var y: String
        /// Two numbers a point.
        public var normal: String
    }

    public var name: String
    public var id: String
    public var version: String
    public var doi: String
    /// Where the product is described, if it has no DOI that is known.
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

    /// `isOfUser`: the file is not of the catalog, so that its mistakes are its writer's.
    public init(toml: String, called file: String, isOfUser: Bool = false) throws {
        let refused = { (reason: String) in IngestError.badSchema(name: file, reason: reason, isOfUser: isOfUser) }
        if let line = lineOfNamelessTable(inTOML: toml) { throw refused("line \(line): a table without a name") }
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
        if let code = projection?.epsg, !PolarSystem.known.contains(where: { $0.code == code }) {
            throw refused(
                "projection.epsg \(code) is none of those known, \(PolarSystem.known.map { String($0.code) }.joined(separator: ", "))"
            )
        }
        if let order = coordinates.order, Set(order) != ["x", "y"] {
            throw refused("coordinates.order is \(order), expected [\"x\", \"y\"] or [\"y\", \"x\"]")
        }
        if let mask {
            let covers =
                Array((mask.codes ?? [:]).keys) + Array((mask.words ?? [:]).keys) + (mask.layers ?? []).map(\.cover)
                + (mask.noData.map { [$0] } ?? [])
            for name in covers where Mask.covers[name] == nil {
                throw refused(
                    "unknown cover \(quoted(name)) of the mask; known are \(Mask.covers.keys.sorted().joined(separator: ", "))"
                )
            }
            if (mask.variable == nil) == (mask.layers == nil) {
                throw refused("mask needs either 'variable' or 'layers'")
            }
        }
        if velocity == nil, thickness == nil { throw refused("has neither [velocity] nor [thickness]") }
    }

    /// Whether it reads what no schema of its own does.
    public var isGeneral: Bool { recognize.variables.isEmpty && (recognize.marks ?? []).isEmpty }

    /// "NSIDC-0754 v1, MEaSUREs Phase-Based Antarctica Ice Velocity Map, doi:10.5067/PZ3NJ5RXRH10"
    public var citation: String {
        if isGeneral { return name }
        let source = doi.isEmpty ? page : "doi:\(doi)"
        return "\(id)\(version.isEmpty ? "" : " v\(version)"), \(name)\(source.map { ", \($0)" } ?? "")"
    }

    /// What is wrong with a schema, in the words of TOML.
    private static func reason(of error: any Error) -> String {
        func place(_ path: [any CodingKey], _ key: String? = nil) -> String {
            let names = path.map(\.stringValue)
            // The decoder counts a key that is missing as part of the way to it, but not always.
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
