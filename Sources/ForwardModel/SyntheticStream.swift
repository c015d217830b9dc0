import Fields
import Foundation

/// A synthetic ice stream with a known answer: grounded ice of uniform hardness that slides by τ_b = C² |u|^(m−1) u, m = 1/3.
public protocol SyntheticStream: SyntheticShelf {
    /// Surface height [m]. At the front it is that of floating ice, whose stress balances the sea's pressure.
    func surface(at position: Position) -> Double
    /// Friction C² [Pa]: the basal drag at 1 m s⁻¹.
    func friction(at position: Position) -> Double
}

extension SyntheticStream {
    /// Initial guess: the viscosity at a strain rate of 0.005 yr⁻¹.
    public func viscosity(at position: Position) -> Viscosity {
        Viscosity(isotropic: SolvedStream.viscosity(strainRate: 0.005 / Constants.secondsPerYear, Constants()))
    }
}

/// The velocity of a stream by Picard iteration: viscosity and drag follow from the previous velocity.
enum SolvedStream {
    /// Glen's viscosity ½ B ε_e^(1/n − 1) [Pa s].
    static func viscosity(strainRate: Double, _ constants: Constants) -> Double {
        constants.hardness / 2 * pow(max(strainRate, 1e-14), 1 / Constants.glenExponent - 1)
    }

    static func viscosity(of field: VelocityField, at place: VelocityField.Place, _ constants: Constants) -> Double {
        let (x, y) = field.gradient(at: place)
        let shear = x.y + y.x
        let squared = x.x * x.x + y.y * y.y + x.x * y.y + shear * shear / 4
        return viscosity(strainRate: squared.squareRoot(), constants)
    }

    /// Relative change of the velocity at which the iteration ends.
    private static let tolerance = 1e-6
    private static let maxIterations = 100

    static func solve(
        _ stream: any SyntheticStream, on mesh: Mesh, _ constants: Constants, prescribed: [Velocity?]
    ) throws(PlainFailure) -> VelocityField {
        // The system contains the driving stress of a floating shelf of this thickness; the height above flotation adds to it.
        let aboveFlotation = { (position: Position) in
            stream.surface(at: position)
                - (1 - constants.iceDensity / constants.seaWaterDensity) * stream.thickness(at: position)
        }
        let push = { (position: Position) -> SIMD2<Double> in
            let slope = { (step: Position) in
                (aboveFlotation(position + step) - aboveFlotation(position - step)) / 2
            }
            return -constants.iceDensity * constants.gravity * stream.thickness(at: position)
                * SIMD2(slope(Position(1, 0)), slope(Position(0, 1)))
        }
        var field: VelocityField?
        for _ in 0..<maxIterations {
            let before = field
            let place = { (position: Position) in before.flatMap { $0.place(of: position) } }
            let system = ShallowShelfSystem(
                mesh: mesh, constants: constants, thickness: stream.thickness(at:),
                viscosity: { position in
                    guard let before, let place = place(position) else { return stream.viscosity(at: position) }
                    return Viscosity(isotropic: viscosity(of: before, at: place, constants))
                },
                prescribed: prescribed, bodyForce: push,
                drag: { position in
                    let velocity =
                        place(position).map { before?.velocity(at: $0) ?? .zero }
                        ?? stream.boundaryVelocity(along: 0, across: 0.5)
                    let speed = max((velocity * velocity).sum().squareRoot(), 1e-12)
                    return stream.friction(at: position) * pow(speed, constants.slidingExponent - 1)
                })
            let next = try system.solve()
            field = next
            guard let before else { continue }
            let change = zip(next.nodal, before.nodal).map { distance($0, $1) }.reduce(0, max)
            let largest = next.nodal.map { distance($0, .zero) }.reduce(0, max)
            if change < tolerance * largest { return next }
        }
        throw PlainFailure(
            "the velocity of \(quoted(stream.name)) did not converge in \(maxIterations) iterations; use another --spacing-m"
        )
    }
}
