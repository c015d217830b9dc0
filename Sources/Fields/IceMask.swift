/// What covers a cell, in the codes that stores and predictions use (BedMachine's, without its Lake Vostok,
/// which is grounded ice here). Products have codes of their own; their schemas translate.
public enum IceMask: UInt8, CaseIterable, Sendable {
    case ocean = 0
    case iceFreeLand = 1
    case groundedIce = 2
    case floatingIce = 3

    /// CF flag_meanings, in the order of the codes.
    public static let flagMeanings = "ocean ice_free_land grounded_ice floating_ice"
}
