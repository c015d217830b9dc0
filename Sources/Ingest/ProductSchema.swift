import Fields
import TOMLKit

/// What a product calls things and how it marks missing data: one file of the folder Schemas, checked when decoded.
/// Unknown keys are refused, so that a misspelt one is not silence.
public struct ProductSchema: Decodable, Sendable {
    /// How a file of the product is told from others.
    public struct Recognition: Decodable, Sendable {
        /// All of these must be there.
        public var variables: [String]
        /// One of these global attributes must hold one of the texts, whatever its case; absent: no condition.
        public var attributes: [String]?
        public var text: [String]?
    }

    /// In all of the following, names are tried in order and the first that the file has is taken.
    public struct Coordinates: Decodable, Sendable {
        public var x: [String]
        public var y: [String]
    }

    public struct ProjectionNames: Decodable, Sendable {
        /// Used where a field does not name its grid mapping.
        public var variables: [String]
        /// "WGS84": the product is on it, whether or not its grid mapping gives the axes.
        public var ellipsoid: String?
    }

    public struct Velocity: Decodable, Sendable {
        public var x: [String]
        public var y: [String]
        public var errorX: [String]?
        public var errorY: [String]?
        /// Values that mean "no data" besides NaN and what the file declares.
        public var noData: [Double]?
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
        public var noData: [Double]?
        public var unitIfMissing: String?
        /// Global attribute that declares a value for missing data.
        public var noDataAttribute: String?
        /// Global attributes with densities [kg m⁻³].
        public var iceDensityAttribute: String?
        public var seaWaterDensityAttribute: String?

        enum CodingKeys: String, CodingKey {
            case variable, error
            case noData = "no_data"
            case unitIfMissing = "units_if_missing"
            case noDataAttribute = "no_data_attribute"
            case iceDensityAttribute = "ice_density_attribute"
            case seaWaterDensityAttribute = "sea_water_density_attribute"
        }
    }

    public struct Surface: Decodable, Sendable {
        public var variable: [String]
        public var noData: [Double]?
        /// Global attribute that declares a value for missing data.
        public var noDataAttribute: String?

        enum CodingKeys: String, CodingKey {
            case variable
            case noData = "no_data"
            case noDataAttribute = "no_data_attribute"
        }
    }

    public struct Mask: Decodable, Sendable {
        public var variable: [String]
        /// Codes and words by the name of the cover they mean ("ocean", ...).
        public var codes: [String: [Int]]
        /// Words of flag_meanings; these count before the codes.
        public var words: [String: [String]]

        public var coverOfCode: [Int: IceMask] { Mask.inverted(codes) }
        public var coverOfWord: [String: IceMask] { Mask.inverted(words) }

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

    public var name: String
    public var id: String
    public var version: String
    public var doi: String
    public var recognize: Recognition
    public var coordinates: Coordinates
    public var projection: ProjectionNames?
    public var velocity: Velocity?
    public var thickness: Thickness?
    public var surface: Surface?
    public var mask: Mask?

    public init(toml: String, called file: String) throws {
        do {
            self = try TOMLDecoder(strictDecoding: true).decode(ProductSchema.self, from: toml)
        } catch {
            throw IngestError.badSchema(name: file, reason: String(describing: error))
        }
        for text in [velocity?.unitIfMissing, thickness?.unitIfMissing].compactMap({ $0 }) where Unit(text) == nil {
            throw IngestError.badSchema(name: file, reason: "unknown unit \(quoted(text))")
        }
        if let mask {
            for name in Array(mask.codes.keys) + Array(mask.words.keys) where Mask.covers[name] == nil {
                throw IngestError.badSchema(name: file, reason: "unknown cover \(quoted(name)) of the mask")
            }
        }
    }

    /// "NSIDC-0754 v1, MEaSUREs Phase-Based Antarctica Ice Velocity Map, doi:10.5067/PZ3NJ5RXRH10"
    public var citation: String {
        doi.isEmpty ? name : "\(id) v\(version), \(name), doi:\(doi)"
    }
}
