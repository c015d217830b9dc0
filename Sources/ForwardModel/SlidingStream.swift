import Fields
import Foundation

/// An ice stream 60 km long and 40 km wide between slow margins, thinning to flotation at its end, with a sticky and a
/// slippery patch of the bed, flowing at 30° to the x axis of the projection.
public struct SlidingStream: SyntheticStream {
    public init() {}

    public let name = "stream"
    public let title = "Sample Stream: a synthetic ice stream with known friction"

    public let description =
        "An invented ice stream, 60 km by 40 km, that flows at 30 degrees to the x axis. Thickness: 1300 m at the inflow to "
        + "700 m at the end. Surface: 190 m above flotation at the inflow, at flotation at the end. Glen's flow law with the "
        + "hardness of ice at -10 degrees C. Drag C^2 |u|^(-2/3) u, C^2 = 1.2e6 Pa (u in m s-1), 1.5 times more in a sticky "
        + "patch of 9 km, 1.5 times less in a slippery one. Velocity is prescribed on inflow (300 m/yr in the middle) and "
        + "margins; the end carries the pressure of the sea."

    private let length = 60_000.0
    private let halfWidth = 20_000.0
    private let frame = FlowFrame(origin: Position(-1_420_000, -410_000), flow: Position(0.75.squareRoot(), 0.5))

    public func position(along: Double, across: Double) -> Position {
        frame.origin + frame.vector(along * length, (2 * across - 1) * halfWidth)
    }

    public func thickness(at position: Position) -> Double {
        let (a, b) = frame.alongAndAcross(position)
        let across = b / halfWidth
        return (1300 - 600 * a / length) * (1 - 0.08 * across * across + 0.03 * sin(3 * a / length + across))
    }

    public func surface(at position: Position) -> Double {
        let a = frame.alongAndAcross(position).0
        let constants = Constants()
        let buoyancy = 1 - constants.iceDensity / constants.seaWaterDensity
        let left = 1 - a / length
        return buoyancy * thickness(at: position) + 120 * left + 70 * left * left
    }

    public func friction(at position: Position) -> Double {
        let (a, b) = frame.alongAndAcross(position)
        let sticky = bump(a - 22_000, 9_000) * bump(b - 5_000, 9_000)
        let slippery = bump(a - 42_000, 9_000) * bump(b + 6_000, 9_000)
        return 1.2e6 * exp(log(1.5) * (sticky - slippery))
    }

    /// Speeds in m yr⁻¹: the stream accelerates along its margins as in its middle.
    public func boundaryVelocity(along: Double, across: Double) -> Velocity {
        let eta = 2 * across - 1
        let middle = (1 - eta * eta) * (1 - eta * eta)
        let speed = (80 + 60 * along + 220 * middle) / Constants.secondsPerYear
        return frame.flow * speed
    }
}
