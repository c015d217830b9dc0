import Compute
import Fields
import Networks
import Physics
import Pointwise
import Runs

/// What a timed step computes: residuals, the points that they are asked at, and their weights in the loss.
public struct StepProblem: Sendable {
    /// Residuals that are asked at the same points.
    private struct PointGroup: Sendable {
        let program: PointProgram
        /// Weight of each squared residual, a point.
        let weights: [Double]
        /// Points for each of the step's points.
        var share = 1.0
        let columns: [String]
    }

    /// What rows of a report call it.
    public let name: String
    public let residualProblem: ResidualProblem
    private let groups: [PointGroup]

    /// The problems that can be timed. Another one (an anisotropic shelf) is a function like those below, and a line here;
    /// reports, tables and comparisons know it by its name.
    static let all: [(name: String, make: @Sendable (NetworkGroup) -> StepProblem)] = [
        ("shallow-shelf", { .shallowShelf($0) }), ("diffice", { .diffice($0) }),
    ]

    public static var names: [String] { all.map(\.name) }

    /// Networks as `--network`, `--subdomains` and `--fourier` spell them.
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

    /// The group's own problem: momentum balance and data misfit at the same points, as the tables of Wang et al. (2025)
    /// have it.
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

    /// DIFFICE_jax's: as many points of velocity, of thickness and of the equation, an eighth as many at the front.
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

    /// Points of each program for so many points of the step.
    func counts(points: Int) -> [Int] {
        groups.map { max(1, Int(Double(points) * $0.share)) }
    }

    /// The mean over the points, as coefficients of the sums.
    func coefficients(points: Int) -> [[Double]] {
        zip(groups, counts(points: points)).map { group, count in group.weights.map { $0 / Double(count) } }
    }

    /// Bytes of the batches: positions and data.
    func byteCount(points: Int) -> Int {
        zip(groups, counts(points: points)).reduce(0) { $0 + 4 * (2 + $1.0.columns.count) * $1.1 }
    }

    /// Positions spread evenly over the square (the R2 sequence of Roberts 2018), and smooth data at them.
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
    /// Operations of the layer products of a step on so many points of each program: forward, adjoint of the activations and
    /// adjoint of the weights, for every channel that a network carries. All else is small beside them.
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
