/// The four fields that a network represents, in the order of its outputs.
public enum Quantity: Int, CaseIterable, Sendable {
    case velocityX, velocityY, thickness, viscosity

    /// The paper's symbol, and the variable's name in predictions.
    public var symbol: String {
        switch self {
        case .velocityX: "u"
        case .velocityY: "v"
        case .thickness: "h"
        case .viscosity: "mu"
        }
    }

    public var longName: String {
        switch self {
        case .velocityX: "ice velocity along the grid's x axis"
        case .velocityY: "ice velocity along the grid's y axis"
        case .thickness: "ice thickness"
        case .viscosity: "effective viscosity of ice, vertically averaged"
        }
    }

    /// Name in the CF standard name table (v93); viscosity has none.
    public var standardName: String? {
        switch self {
        case .velocityX: "land_ice_x_velocity"
        case .velocityY: "land_ice_y_velocity"
        case .thickness: "land_ice_thickness"
        case .viscosity: nil
        }
    }

    /// Unit of stored and exported values.
    public var unit: String {
        switch self {
        case .velocityX, .velocityY: Unit.metersPerYear.symbol
        case .thickness: "m"
        case .viscosity: Unit.pascalSecond.symbol
        }
    }
}
