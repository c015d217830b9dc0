import Fields
import Foundation

/// A straight shelf, 60 km by 40 km, with ice six times softer along the right wall: over 10 km, which a small network
/// resolves, or over 1 km, which it does not. Nothing else differs between the two.
public struct MarginShelf: SyntheticShelf {
    /// Width of the soft ice along the right wall [m].
    private let width: Double
    public let name: String
    public let title: String

    private init(name: String, title: String, width: Double) {
        self.name = name
        self.title = title
        self.width = width
    }

    public static let broad = MarginShelf(
        name: "broad-margin", title: "Broad Margin: a synthetic ice shelf with known viscosity", width: 10_000)
    public static let thin = MarginShelf(
        name: "thin-margin", title: "Thin Margin: a synthetic ice shelf with known viscosity", width: 1_000)

    public var description: String {
        "An invented shelf, 60 km by 40 km. Thickness: 500 m at the inflow to 270 m at the front. Viscosity: 9e13 Pa s, 6 times "
            + "softer at the right wall over \(Int(width / 1000)) km, 2 times at the left wall over 10 km, 1.6 times stiffer in "
            + "a patch of 8 km. The ice sticks to both walls and enters with up to 300 m/yr."
    }

    private let length = 60_000.0
    private let breadth = 40_000.0
    /// The corner of inflow and right wall [m].
    private let origin = Position(352_000, 2_071_000)

    /// Graded across, so that elements at the right wall are four times finer than on average.
    public func position(along: Double, across: Double) -> Position {
        let graded = across - 0.75 * sin(.pi * across) / .pi
        return origin + Position(along * length, graded * breadth)
    }

    /// Distance from the inflow, and from the centre line, positive to the left [m].
    func alongAndAcross(_ position: Position) -> (Double, Double) {
        let offset = position - origin
        return (offset.x, offset.y - breadth / 2)
    }

    public func thickness(at position: Position) -> Double {
        let offset = position - origin
        return (240 + 260 * exp(-offset.x / 25_000)) * (1 + 0.03 * sin(.pi * offset.y / breadth))
    }

    public func viscosity(at position: Position) -> Viscosity {
        let offset = position - origin
        let right = log(6) * bump(offset.y, width)
        let left = log(2) * bump(breadth - offset.y, 10_000)
        let patch = log(1.6) * bump(offset.x - 34_000, 8_000) * bump(offset.y - 22_000, 8_000)
        return Viscosity(isotropic: 9e13 * exp(patch - right - left))
    }

    /// Zero on the walls.
    public func boundaryVelocity(along: Double, across: Double) -> Velocity {
        let y = (position(along: along, across: across) - origin).y
        guard along == 0, across > 0, across < 1 else { return Velocity(0, 0) }
        let profile = (1 - exp(-y / width)) * (1 - exp((y - breadth) / 10_000))
        return Velocity(300 / Constants.secondsPerYear * profile, 0)
    }
}
