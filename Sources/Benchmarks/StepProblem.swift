import Compute
import Fields
import Networks
import Physics
import Pointwise
import Runs

/// What a timed step computes: residuals, the points at which they are evaluated, and their weights in the loss.
public struct StepProblem: Sendable {
    /// Residuals that are evaluated at the same points.
    private struct PointGroup: Sendable {
        let program: PointProgram
        /// Weight of each squared residual.
        let weights: [Double]
        /// Number of points relative to the step's.
        var share = 1.0
        let columns: [String]
    }

    /// Name in the rows of a report.
    public let name: String
    public let residualProblem: ResidualProblem
    private let groups: [PointGroup]

    /// The problems that can be timed. A new one is a function like those below, and a line here.
    static let all: [(name: String, make: @Sendable (NetworkGroup) -> StepProblem)] = [
        ("shallow-shelf", { .shallowShelf($0) }), ("diffice", { .diffice($0) }),
    ]

    public static var names: [String] { all.map(\.name) }

    /// Networks, in the notation of `--network`, `--subdomains` and `--fourier`.
    public static func named(
        _ name: String, _ network: String, subdomains: String = "1x1", fourier: String = "none"
    ) throws -> StepProblem {
        guard let problem = all.first(where: { $0.name == name }) else {
            throw BenchmarkError.unknownName("problem", name, known: names)
        }
        var configuration = TrainingConfiguration()
        configuration.network = try NetworkConfiguration(
            parsing: network, subdomains: subdomains, fourier: fourier)
        return problem.make(configuration.networks)
    }

    private init(_ name: String, _ networks: NetworkGroup, _ groups: [PointGroup]) {
        self.name = name
        self.groups = groups
        residualProblem = ResidualProblem(networks: networks, inputSlopes: (1, 1), programs: groups.map(\.program))
    }

    /// The problem of the tables of Wang et al. (2025): momentum balance and data misfit at the same points.
    public static func shallowShelf(_ networks: NetworkGroup) -> StepProblem {
        StepProblem(
            "shallow-shelf", networks,
            [
                group(columns: ["u", "v", "h"], weights: [0.05, 0.05, 1, 1, 1]) { point in
                    ShallowShelf().residuals(at: point) + [
                        point.output(.velocityX) - point.column("u"), point.output(.velocityY) - point.column("v"),
                        point.output(.thickness) - point.column("h"),
                    ]
                }
            ])
    }

    /// DIFFICE_jax's problem: equal numbers of velocity, thickness and collocation points, and an eighth as many at the front.
    public static func diffice(_ networks: NetworkGroup) -> StepProblem {
        StepProblem(
            "diffice", networks,
            [
                group(columns: ["u", "v"], weights: [1, 1]) { point in
                    [point.output(.velocityX) - point.column("u"), point.output(.velocityY) - point.column("v")]
                },
                group(columns: ["h"], weights: [0.6]) { [$0.output(.thickness) - $0.column("h")] },
                group(columns: [], weights: [0.05, 0.05]) { ShallowShelf().residuals(at: $0) },
                group(columns: ["nx", "ny"], weights: [0.1, 0.1], share: 1.0 / 8) {
                    CalvingFrontStress().residuals(at: $0)
                },
            ])
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
