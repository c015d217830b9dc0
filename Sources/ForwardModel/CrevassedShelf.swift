import Fields
import Foundation

/// The shelf with a broad margin and anisotropic ice: the vertical viscosity is lower than the horizontal one in a crevassed
/// patch, and higher near the front. Shear at both walls and stretching between them distinguish the two viscosities.
public struct CrevassedShelf: SyntheticShelf {
    private let shelf = MarginShelf.broad

    public init() {}

    public let name = "crevassed"
    public let title = "Crevassed Sample Shelf: a synthetic ice shelf with known anisotropic viscosity"

    public var description: String {
        "The broad margin (\(shelf.description)) The viscosity against stretching of the vertical is 0.6 times that in the "
            + "horizontal plane in a patch of 12 km, and 1.25 times in another one near the front."
    }

    public func position(along: Double, across: Double) -> Position { shelf.position(along: along, across: across) }

    public func thickness(at position: Position) -> Double { shelf.thickness(at: position) }

    public func viscosity(at position: Position) -> Viscosity {
        let (a, b) = shelf.alongAndAcross(position)
        let crevasses = log(0.6) * bump(a - 44_000, 12_000) * bump(b + 6_000, 10_000)
        let stiff = log(1.25) * bump(a - 50_000, 12_000) * bump(b - 12_000, 8_000)
        let horizontal = shelf.viscosity(at: position).horizontal
        return Viscosity(horizontal: horizontal, vertical: horizontal * exp(crevasses + stiff))
    }

    public func boundaryVelocity(along: Double, across: Double) -> Velocity {
        shelf.boundaryVelocity(along: along, across: across)
    }
}
