/// The fields that a network can represent; a model lists those it uses, in order.
public enum Quantity: Int, CaseIterable, Sendable {
    case velocityX, velocityY, thickness, viscosity, massBalance, horizontalViscosity, verticalViscosity
    case surface, friction, basalDrag, hardness

    /// The symbol in the literature, and the variable's name in predictions.
    public var symbol: String {
        switch self {
        case .velocityX: "u"
        case .velocityY: "v"
        case .thickness: "h"
        case .viscosity: "mu"
        case .massBalance: "mass_balance"
        case .horizontalViscosity: "mu_h"
        case .verticalViscosity: "mu_v"
        case .surface: "s"
        case .friction: "C2"
        case .basalDrag: "basal_drag"
        case .hardness: "B"
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
        case .surface: "height of the ice surface"
        case .friction: "C^2 in the basal drag C^2 |u|^(m-1) u with u in m s-1: the drag at 1 m s-1"
        case .basalDrag: "basal drag"
        case .hardness: "hardness of ice B in the stress B e^(1/3) with the strain rate e in s-1: the stress at 1 s-1"
        }
    }

    /// Name in the CF standard name table (v93), where there is one.
    public var standardName: String? {
        switch self {
        case .velocityX: "land_ice_x_velocity"
        case .velocityY: "land_ice_y_velocity"
        case .thickness: "land_ice_thickness"
        case .surface: "surface_altitude"
        case .basalDrag: "land_ice_basal_drag"
        case .viscosity, .massBalance, .horizontalViscosity, .verticalViscosity, .friction, .hardness: nil
        }
    }

    /// Whether an inferred field is always positive: the exponential of a network output.
    public var isPositive: Bool {
        switch self {
        case .velocityX, .velocityY, .surface, .massBalance: false
        default: true
        }
    }

    /// Unit of stored and exported values.
    public var measure: Unit {
        switch self {
        case .velocityX, .velocityY, .massBalance: .metersPerYear
        case .thickness, .surface: .meter
        case .friction, .basalDrag, .hardness: .pascal
        case .viscosity, .horizontalViscosity, .verticalViscosity: .pascalSecond
        }
    }

    /// The unit's symbol.
    public var unit: String { measure.symbol }
}
