import Fields
import Pointwise

/// The physics of a run: the quantities that the networks represent, and the equations they have to satisfy.
public struct PhysicalModel: Sendable {
    /// Its name in `--physics`.
    public let name: String
    /// Quantities fitted to data.
    public let observed: [Quantity]
    /// Quantities inferred from the equations alone.
    public let inferred: [Quantity]
    /// Equations that hold at every collocation point.
    public let interior: [any Equation]
    /// Boundary condition at the calving front, for ice that has one.
    public var front: (any Equation)?
    /// Regularization of what data and equations leave open; its weight fades as these are satisfied.
    public var prior: (any Equation)?
    /// The kind of ice that the equations describe.
    public var ice = IceMask.floatingIce
    /// Quantities derived from the unknowns, for maps.
    public var derived: [(quantity: Quantity, value: @Sendable (FieldPoint) -> Scalar)] = []

    /// All quantities, in the order of the network's outputs.
    public var unknowns: [Quantity] { observed + inferred }
}

/// All physical models. A new one is one file, and one entry here.
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
