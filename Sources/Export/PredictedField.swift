import Fields
import Objective
import Physics
import PointStore
import Pointwise

/// A variable of a prediction: its name and description, and its value from the fields at a point, in its own unit.
public struct PredictedField: Sendable {
    public let name: String
    public let longName: String
    public var standardName: String?
    public let units: String
    /// Otherwise only where it is requested by name.
    public var isAlwaysWritten = true
    public let value: @Sendable (FieldPoint) -> Scalar

    /// The variable that holds its standard deviation.
    public var deviationName: String { "\(name)_standard_deviation" }
    /// The variable that says where it is determined.
    public var flagName: String { "\(name)_determined" }
}

extension PredictedField {
    /// All fields that a prediction can hold, the network's own first, for a run's model, scales and constants.
    public static func all(model: PhysicalModel, store: StoreDescription, constants: Constants) -> [PredictedField] {
        model.unknowns.map { quantity in field(of: quantity, store, constants) { $0.value(quantity) } }
            + model.derived.map { field(of: $0.quantity, store, constants, $0.value) }
            + (model.unknowns.contains(.velocityY) ? [effectiveStrainRate(store.scales)] : [])
            + model.interior.flatMap { residuals(of: $0, store.scales, constants) }
            + (model.unknowns.contains(.velocityY)
                ? derived(model: model, scales: store.scales, constants: constants) : [])
    }

    /// A field that the network represents, or one derived from such fields.
    private static func field(
        of quantity: Quantity, _ store: StoreDescription, _ constants: Constants,
        _ value: @escaping @Sendable (FieldPoint) -> Scalar
    ) -> PredictedField {
        let unit = store.scales.unit(of: quantity, constants)
        return PredictedField(
            name: quantity.symbol, longName: quantity.longName, standardName: quantity.standardName,
            units: quantity.unit
        ) { unit * value($0) }
    }

    private static func residuals(
        of equation: any Equation, _ scales: Scales, _ constants: Constants
    ) -> [PredictedField] {
        let (unit, units) =
            switch equation.residualUnit {
            case .stress: (scales.momentum(constants), "Pa")
            case .thicknessRate: (scales.thicknessRate * Constants.secondsPerYear, Unit.metersPerYear.symbol)
            case .ratio: (1, "1")
            }
        return equation.residualNames.enumerated().map { number, name in
            PredictedField(
                name: "residual_\(name)",
                longName: "residual of the \(name.split(separator: "_").joined(separator: " ")) balance",
                units: units
            ) { unit * equation.residuals(at: $0)[number] }
        }
    }
}
