/// The cover of a cell, in the codes of stores and predictions (BedMachine's, with Lake Vostok as grounded ice). Schemas translate
/// the codes of other products.
public enum IceMask: UInt8, CaseIterable, Sendable {
    case ocean = 0
    case iceFreeLand = 1
    case groundedIce = 2
    case floatingIce = 3

    /// The name in CF's flag_meanings: "floating_ice".
    public var name: String { IceMask.flagMeanings.split(separator: " ").map(String.init)[Int(rawValue)] }

    /// "floating" or "grounded", for ice.
    public var adjective: String { name.split(separator: "_").first.map(String.init) ?? name }

    /// The cover with a name.
    public init?(name: String) {
        guard let cover = IceMask.allCases.first(where: { $0.name == name }) else { return nil }
        self = cover
    }

    /// CF flag_meanings, in the order of the codes.
    public static let flagMeanings = "ocean ice_free_land grounded_ice floating_ice"
}
