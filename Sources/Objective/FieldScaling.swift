import Fields
import Physics
import PointStore

/// Conversion between a network's normalized inputs and outputs and the nondimensional quantities of the equations: outputs
/// become fields, coordinates are measured in one length.
public struct FieldScaling: Sendable {
    public let maps: [Quantity: OutputMap]
    /// d(stored coordinate)/d(coordinate in units of the length).
    public let inputSlopes: (x: Double, y: Double)
    public let numbers: PhysicalNumbers

    /// The store's columns are the network's own outputs, so a field is (add_offset + scale_factor · o) in its unit, divided
    /// by the scale of that unit.
    public init(_ store: StoreDescription, _ constants: Constants) {
        let metersPerSecond = 1 / Constants.secondsPerYear
        func affine(_ column: Column, _ unit: Double) -> OutputMap {
            let normalization = store.normalization(column)
            return .affine(offset: normalization.offset * unit, scale: normalization.scale * unit)
        }
        let observed: [Quantity: OutputMap] = [
            .velocityX: affine(.u, metersPerSecond / store.scales.speed),
            .velocityY: affine(.v, metersPerSecond / store.scales.speed),
            .thickness: affine(.h, 1 / store.scales.thickness),
            .surface: affine(.s, 1 / store.scales.thickness),
        ]
        maps = Quantity.allCases.reduce(into: observed) { maps, quantity in
            maps[quantity] = maps[quantity] ?? (quantity.isPositive ? .exponential : .affine(offset: 0, scale: 1))
        }
        numbers = PhysicalNumbers(constants, store.scales)
        inputSlopes = (
            store.scales.length / store.normalization(.x).scale, store.scales.length / store.normalization(.y).scale
        )
    }
}

extension StoreDescription {
    /// Present: the reader of a store requires them.
    public func normalization(_ column: Column) -> Normalization {
        normalizations[column] ?? Normalization(offset: 0, scale: 1)
    }
}
