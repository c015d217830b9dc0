import Fields
import Foundation

/// A shelf between frictionless walls along the x axis of the projection, uniform across: a flow line with a width. The
/// membrane stress balances the sea's pressure everywhere, so that u_x = (ρ g (1 − ρ/ρ_w) h / 4 B)³ for any thickness and hardness (Van der
/// Veen 2013, section 4.5).
public struct FlowLineShelf: SyntheticShelf {
    public init() {}

    public let name = "flow-line"
    public let title = "Sample Flow Line: a synthetic one-dimensional ice shelf with known hardness"

    public let description =
        "An invented shelf, 60 km by 15 km, that flows along the x axis and is the same all across. Thickness: 600 m at the "
        + "inflow to 300 m at the front. Hardness: 1.6e8 Pa s^(1/3), half as much again at 25 km over 10 km, a third less "
        + "at 45 km over 8 km. Velocity at the inflow: 300 m/yr."

    private let length = 60_000.0
    private let width = 15_000.0
    private let origin = Position(900_000, -1_300_000)
    private let constants = Constants()

    public func position(along: Double, across: Double) -> Position {
        origin + Position(along * length, (across - 0.5) * width)
    }

    private func thickness(_ x: Double) -> Double { 240 + 360 * exp(-x / 34_000) }

    /// Hardness B [Pa s^(1/3)].
    private func hardness(_ x: Double) -> Double {
        return 1.6e8 * exp(log(1.5) * bump(x - 25_000, 10_000) - log(1.5) * bump(x - 45_000, 8_000))
    }

    private func strainRate(_ x: Double) -> Double {
        pow(constants.buoyantSpecificWeight * thickness(x) / (4 * hardness(x)), Constants.glenExponent)
    }

    public func thickness(at position: Position) -> Double { thickness(position.x - origin.x) }

    public func viscosity(at position: Position) -> Viscosity {
        let x = position.x - origin.x
        return Viscosity(isotropic: hardness(x) / 2 * pow(strainRate(x), 1 / Constants.glenExponent - 1))
    }

    /// Integral of the strain rate from the inflow, by Simpson's rule with steps of at most 300 m: relative truncation error 1e-9.
    public func boundaryVelocity(along: Double, across: Double) -> Velocity {
        let steps = 200
        let step = along * length / Double(steps)
        let sum = (0...steps).reduce(0.0) { sum, number in
            let weight = number == 0 || number == steps ? 1.0 : number % 2 == 0 ? 2 : 4
            return sum + weight * strainRate(Double(number) * step)
        }
        return Velocity(300 / Constants.secondsPerYear + sum * step / 3, 0)
    }
}
