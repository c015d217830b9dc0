import Compute
import Fields
import Networks
import Physics
import Pointwise
import Runs

/// A problem that can be timed. Another one is a case here, and its groups of points below.
public enum Problem: String, Codable, CaseIterable, Sendable {
    /// That of the tables of Wang et al. (2025): momentum balance and data misfit at the same points.
    case shallowShelf = "shallow-shelf"
    /// DIFFICE_jax's: equal numbers of velocity, thickness and collocation points, and an eighth as many at the front.
    case diffice
}

/// What a timed step computes: residuals, the points at which they are evaluated, and their weights in the loss.
public struct StepProblem {
    /// Residuals that are evaluated at the same points.
    private struct PointGroup {
        let program: PointProgram
        /// Weight of each squared residual.
        let weights: [Double]
        /// Number of points relative to the step's.
        let share: Double
        let columns: [String]
    }

    public let residualProblem: ResidualProblem
    private let groups: [PointGroup]

    /// Networks, in the notation of `--network`, `--subdomains` and `--fourier`.
    public init(_ problem: Problem, _ network: String, subdomains: String = "1x1", fourier: String = "none") throws {
        var configuration = TrainingConfiguration()
        configuration.network = try NetworkConfiguration(
            parsing: network, subdomains: subdomains, fourier: fourier)
        groups =
            switch problem {
            case .shallowShelf: StepProblem.shallowShelf
            case .diffice: StepProblem.diffice
            }
        residualProblem = ResidualProblem(
            networks: configuration.networks, inputSlopes: (1, 1), programs: groups.map(\.program))
    }

    private static var shallowShelf: [PointGroup] {
        [
            group(columns: ["u", "v", "h"], weights: [0.05, 0.05, 1, 1, 1]) { point in
                ShallowShelf().residuals(at: point) + [
                    point.output(.velocityX) - point.column("u"), point.output(.velocityY) - point.column("v"),
                    point.output(.thickness) - point.column("h"),
                ]
            }
        ]
    }

    private static var diffice: [PointGroup] {
        [
            group(columns: ["u", "v"], weights: [1, 1]) { point in
                [point.output(.velocityX) - point.column("u"), point.output(.velocityY) - point.column("v")]
            },
            group(columns: ["h"], weights: [0.6]) { [$0.output(.thickness) - $0.column("h")] },
            group(columns: [], weights: [0.05, 0.05]) { ShallowShelf().residuals(at: $0) },
            group(columns: ["nx", "ny"], weights: [0.1, 0.1], share: 1.0 / 8) {
                CalvingFrontStress().residuals(at: $0)
            },
        ]
    }

    private static func group(
        columns: [String], weights: [Double], share: Double = 1, residuals: (FieldPoint) -> [Scalar]
    ) -> PointGroup {
        let program = Program.recording { tracer in
            let plain = OutputMap.affine(offset: 0, scale: 1)
            return residuals(
                FieldPoint(
                    tracer: tracer, unknowns: [.velocityX, .velocityY, .thickness, .viscosity],
                    maps: [.velocityX: plain, .velocityY: plain, .thickness: plain, .viscosity: .exponential],
                    columns: ["x", "y"] + columns))
        }
        return PointGroup(program: PointProgram(program), weights: weights, share: share, columns: columns)
    }

    /// Number of points of each program for a number of points of the step.
    func counts(points: Int) -> [Int] {
        groups.map { max(1, Int(Double(points) * $0.share)) }
    }

    /// Coefficients that turn the sums into means over the points.
    func coefficients(points: Int) -> [[Double]] {
        zip(groups, counts(points: points)).map { group, count in group.weights.map { $0 / Double(count) } }
    }

    /// Size of the batches, positions and data [bytes].
    func byteCount(points: Int) -> Int {
        zip(groups, counts(points: points)).reduce(0) { $0 + 4 * (2 + $1.0.columns.count) * $1.1 }
    }

    /// Batches of evenly spread positions (the R2 sequence of Roberts 2018) with smooth data.
    func batches(points: Int) -> [PointBatch] {
        zip(groups, counts(points: points)).map { group, count in
            func sequence(_ step: Double) -> [Float] {
                (0..<count).map { Float(2 * (Double($0) * step).truncatingRemainder(dividingBy: 1) - 1) }
            }
            let x = sequence(0.7548776662466927)
            let y = sequence(0.5698402909980532)
            let data = group.columns.map { column -> [Float] in
                switch column {
                case "u": return x.map { $0 - $0 * $0 * $0 / 6 }
                case "v": return y.map { 1 - $0 * $0 / 2 }
                case "h": return x.map { 1 + 0.1 * $0 }
                case "nx": return x.map { _ in 1 }
                default: return x.map { _ in 0 }
                }
            }
            return PointBatch(columns: [x, y] + data)
        }
    }
}

extension ResidualProblem {
    /// Floating-point operations of a step's layer products: forward, adjoint of the activations and adjoint of the weights, for
    /// every channel that a network carries. Everything else is small in comparison.
    package func productOperations(points: [Int]) -> Double {
        networks.networks.enumerated().reduce(0) { sum, network in
            let outputs = networks.outputs(of: network.offset)
            let channels = zip(programs, points).reduce(0) {
                $0 + ($1.0.program.derivatives(ofOutputs: outputs)?.channelCount ?? 0) * $1.1
            }
            let width = Double(network.element.width)
            let squares = network.element.hiddenLayers - (network.element.fourier == nil ? 1 : 0)
            return sum + 3 * Double(squares) * 2 * width * width * Double(channels)
                * networks.decomposition.meanOverlap
        }
    }
}
