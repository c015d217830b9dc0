import Fields
import Foundation

/// The bundled shelf: 60 km long and 48 to 52 km wide between straight walls, with a calving front that bulges by
/// 4 km, flowing at 60° to the x axis of the projection off a coast near 10° E.
///
/// Everything is smooth on the scale of the soft margins (6 km), so that a small network can represent it, and yet has
/// structure: two margins of different softness, one stiff patch off the centre line, an uneven thickness.
public struct WedgeShelf: SyntheticShelf {
    public init() {}

    public let name = "wedge"
    public let title = "Sample Shelf: a synthetic ice shelf with known viscosity"

    public let description =
        "An invented shelf, 60 km by 48 to 52 km, that flows at 60 degrees to the x axis. Thickness: 600 m at the "
        + "inflow to 250 m at the front. Viscosity: 9e13 Pa s, "
        + "2.5 and 2 times softer at the walls over 6 km, 1.8 times stiffer in a patch of 8 km, 20 % softer "
        + "towards the front. Velocity is prescribed on inflow (250 m/yr in the middle) and walls (slip along the wall, "
        + "no flow through it); the calving front carries the pressure of the sea."

    // MARK: Shape [m]

    private let length = 60_000.0
    private let bow = 4_000.0
    private let halfWidthAtInflow = 24_000.0
    private let halfWidthAtFront = 26_000.0
    private let frame = FlowFrame(origin: Position(352_000, 2_071_000), flow: Position(0.5, 0.75.squareRoot()))

    private func halfWidth(_ along: Double) -> Double {
        halfWidthAtInflow + (halfWidthAtFront - halfWidthAtInflow) * along / length
    }

    public func position(along: Double, across: Double) -> Position {
        let eta = 2 * across - 1
        let a = along * (length + bow * (1 - eta * eta))
        return frame.origin + frame.vector(a, eta * halfWidth(a))
    }

    /// Distance from the inflow [m], and position across relative to the half width, −1 to 1.
    private func local(_ position: Position) -> (a: Double, eta: Double) {
        let (a, b) = frame.alongAndAcross(position)
        return (a, b / halfWidth(a))
    }

    // MARK: Ice

    /// From 600 m at the inflow to 250 m at the front; 6 % thinner at the walls, and 3 % thicker on the left half.
    public func thickness(at position: Position) -> Double {
        let (a, eta) = local(position)
        let centreLine = 230 + 370 * exp(-a / 22_000)
        return centreLine * (1 - 0.06 * eta * eta + 0.03 * sin(.pi * eta / 2))
    }

    public func viscosity(at position: Position) -> Viscosity {
        let (a, eta) = local(position)
        let b = eta * halfWidth(a)
        let right = log(2.5) * bump(halfWidth(a) + b, 6_000)
        let left = log(2.0) * bump(halfWidth(a) - b, 6_000)
        let patch = log(1.8) * bump(a - 34_000, 8_000) * bump(b - 5_000, 8_000)
        let downstream = log(0.8) * a / length
        return Viscosity(isotropic: 9e13 * exp(patch + downstream - right - left))
    }

    // MARK: Boundary

    /// Speeds in m yr⁻¹. The flow diverges with the walls and is parallel to them there; the margins shear over the outer
    /// third of the inflow.
    public func boundaryVelocity(along: Double, across: Double) -> Velocity {
        let eta = 2 * across - 1
        let a = along * (length + bow * (1 - eta * eta))
        let wallSpeed = 100 + 140 * a / length
        let middle = 1 - eta * eta * eta * eta
        let speed = (wallSpeed + 150 * middle) / Constants.secondsPerYear
        let fan = eta * (halfWidthAtFront - halfWidthAtInflow) / length
        let direction = frame.vector(1, fan)
        return direction * (speed / (1 + fan * fan).squareRoot())
    }
}
