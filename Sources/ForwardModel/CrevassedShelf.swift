import Fields
import Foundation

/// The tongue with ice that stretches in the vertical more easily than it deforms in the plane, where crevasses
/// run, and less easily near the front.
public struct CrevassedShelf: SyntheticShelf {
    private let tongue = WedgeShelf.tongue

    public init() {}

    public let name = "crevassed"
    public let title = "Crevassed Sample Shelf: a synthetic ice shelf with known anisotropic viscosity"

    public var description: String {
        "The tongue (\(tongue.description)) The viscosity against stretching of the vertical is 0.6 times that in the "
            + "horizontal plane in a patch of 12 km, and 1.25 times in another one near the front."
    }

    public func position(along: Double, across: Double) -> Position { tongue.position(along: along, across: across) }

    public func thickness(at position: Position) -> Double { tongue.thickness(at: position) }

    public func viscosity(at position: Position) -> Viscosity {
        let (a, b) = tongue.alongAndAcross(position)
        let bump = { (distance: Double, width: Double) in exp(-(distance / width) * (distance / width)) }
        let crevasses = log(0.6) * bump(a - 20_000, 12_000) * bump(b + 6_000, 12_000)
        let stiff = log(1.25) * bump(a - 46_000, 12_000) * bump(b - 6_000, 12_000)
        let horizontal = tongue.viscosity(at: position).horizontal
        return Viscosity(horizontal: horizontal, vertical: horizontal * exp(crevasses + stiff))
    }

    public func boundaryVelocity(along: Double, across: Double) -> Velocity {
        tongue.boundaryVelocity(along: along, across: across)
    }
}
