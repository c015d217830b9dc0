import Fields
import Pointwise

/// The physics of a run: what the network represents, and which equations hold where.
public struct PhysicalModel: Sendable {
    /// What `--physics` calls it.
    public let name: String
    /// The quantities that are fitted to data.
    public let observed: [Quantity]
    /// The quantities that follow from the equations alone.
    public let inferred: [Quantity]
    /// Hold everywhere.
    public let interior: [any Equation]
    /// Holds at the calving front, of ice that has one.
    public var front: (any Equation)?
    /// Decides what data and equations leave open: small where an answer is preferred, with a weight that yields to both.
    public var prior: (any Equation)?
    /// The ice that the equations are of.
    public var ice = IceMask.floatingIce
    /// What follows from the unknowns, for maps.
    public var derived: [(quantity: Quantity, value: @Sendable (FieldPoint) -> Scalar)] = []

    /// The quantities in the order of the network's outputs.
    public var unknowns: [Quantity] { observed + inferred }
}

/// All models by name: a new one is one file, and one entry here.
public enum EquationCatalog {
    private static let shelf: [Quantity] = [.velocityX, .velocityY, .thickness]

    public static let models: [PhysicalModel] = [
        PhysicalModel(
            name: "shallow-shelf", observed: shelf, inferred: [.viscosity], interior: [ShallowShelf()],
            front: CalvingFrontStress()),
        PhysicalModel(
            name: "mass-conservation", observed: shelf, inferred: [.viscosity, .massBalance],
            interior: [ShallowShelf(), MassConservation()], front: CalvingFrontStress()),
        PhysicalModel(
            name: "shelfy-stream", observed: shelf + [.surface], inferred: [.friction], interior: [ShelfyStream()],
            ice: .groundedIce,
            derived: [
                (.viscosity, { GlenFlowLaw.viscosity(at: $0).value }), (.basalDrag, ShelfyStream.basalDrag(at:)),
            ]),
        PhysicalModel(
            name: "anisotropic", observed: shelf, inferred: [.horizontalViscosity, .verticalViscosity],
            interior: [AnisotropicShelf()], front: AnisotropicFrontStress(), prior: IsotropyPrior()),
        PhysicalModel(
            name: "flow-line", observed: [.velocityX, .thickness], inferred: [.hardness], interior: [FlowLine()],
            front: FlowLineFrontStress(), derived: [(.viscosity, { FlowLine.viscosity(at: $0).value })]),
    ]

    public static func model(named name: String) -> PhysicalModel? {
        models.first { $0.name == name }
    }
}
