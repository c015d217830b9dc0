import Fields

/// The physics of a run: what the network represents, and which equations hold where.
public struct PhysicalModel: Sendable {
    /// What `--physics` calls it.
    public let name: String
    /// The quantities in the order of the network's outputs.
    public let unknowns: [Quantity]
    /// Holds everywhere on the shelf.
    public let interior: any Equation
    /// Holds at the calving front.
    public let front: any Equation
}

/// All models by name: a new one is one file, and one line here.
public enum EquationCatalog {
    public static let models: [PhysicalModel] = [
        PhysicalModel(
            name: "shallow-shelf", unknowns: Quantity.allCases, interior: ShallowShelf(), front: CalvingFrontStress())
    ]

    public static func model(named name: String) -> PhysicalModel? {
        models.first { $0.name == name }
    }
}
