/// The fields that a network may represent; a model says which, and in what order.
public enum Quantity: Int, CaseIterable, Sendable {
    case velocityX, velocityY, thickness, viscosity, massBalance, horizontalViscosity, verticalViscosity

    /// The paper's symbol, and the variable's name in predictions.
    public var symbol: String {
        switch self {
        case .velocityX: "u"
        case .velocityY: "v"
        case .thickness: "h"
        case .viscosity: "mu"
        case .massBalance: "mass_balance"
        case .horizontalViscosity: "mu_h"
        case .verticalViscosity: "mu_v"
        }
    }

    public var longName: String {
        switch self {
        case .velocityX: "ice velocity along the grid's x axis"
        case .velocityY: "ice velocity along the grid's y axis"
        case .thickness: "ice thickness"
        case .viscosity: "effective viscosity of ice, vertically averaged"
        case .massBalance: "accumulation at the surface minus melt at the base of a shelf of steady thickness, in ice"
        case .horizontalViscosity: "effective viscosity of ice in the horizontal plane, vertically averaged"
        case .verticalViscosity: "effective viscosity of ice against stretching of the vertical, vertically averaged"
        }
    }

    /// Name in the CF standard name table (v93), where there is one.
    public var standardName: String? {
        switch self {
        case .velocityX: "land_ice_x_velocity"
        case .velocityY: "land_ice_y_velocity"
        case .thickness: "land_ice_thickness"
        case .viscosity, .massBalance, .horizontalViscosity, .verticalViscosity: nil
        }
    }

    /// Unit of stored and exported values.
    public var unit: String {
        switch self {
        case .velocityX, .velocityY, .massBalance: Unit.metersPerYear.symbol
        case .thickness: "m"
        case .viscosity, .horizontalViscosity, .verticalViscosity: "Pa s"
        }
    }
}
