import Compute
import Fields
import Networks
import Physics
import Pointwise
import Runs

/// What a timed step computes: residuals, the points that they are asked at, and their weights in the loss.
public struct StepProblem: Sendable {
    /// What rows of a report call it.
    public let name: String
    public let workload: Workload
    /// Weight of each squared residual, a point.
    private let weights: [Double]

    /// The problems that can be timed. Another one (an anisotropic shelf) is a function like
    /// the one below, and a line here; reports, tables and comparisons know it by its name.
    static let all: [(name: String, make: @Sendable (NetworkGroup) -> StepProblem)] = [
        ("shallow-shelf", { .shallowShelf($0) })
    ]

    /// - Parameter network: hidden layers and their width, as `--network` spells it.
    public static func named(_ name: String, _ network: String) throws -> StepProblem {
        guard let problem = all.first(where: { $0.name == name }) else {
            throw BenchmarkError.unknownName("problem", name, known: all.map(\.name))
        }
        var plan = Plan()
        try plan.set("network", to: .text(network))
        return problem.make(try plan.networks())
    }

    /// The group's own problem: momentum balance and data misfit at the same points, as the tables of Wang et al. (2025)
    /// and of DIFFICE_jax have it.
    public static func shallowShelf(_ networks: NetworkGroup) -> StepProblem {
        let program = Program.recording { recorder in
            let plain = OutputMap.affine(offset: 0, scale: 1)
            let point = FieldPoint(
                recorder: recorder, unknowns: Quantity.allCases,
                maps: [.velocityX: plain, .velocityY: plain, .thickness: plain, .viscosity: .exponential],
                columns: ["x", "y", "u", "v", "h"])
            return ShallowShelf().residuals(at: point) + [
                point.output(.velocityX) - point.column("u"), point.output(.velocityY) - point.column("v"),
                point.output(.thickness) - point.column("h"),
            ]
        }
        return StepProblem(
            name: "shallow-shelf",
            workload: Workload(networks: networks, inputSlopes: (1, 1), programs: [PointProgram(program)]),
            weights: [0.05, 0.05, 1, 1, 1])
    }

    /// The mean over the points, as coefficients of the sums.
    func coefficients(points: Int) -> [[Double]] {
        [weights.map { $0 / Double(points) }]
    }

    /// Positions spread evenly over the square (the R2 sequence of Roberts 2018), and smooth data at them.
    func columns(points: Int) -> [[Float]] {
        func sequence(_ step: Double) -> [Float] {
            (0..<points).map { Float(2 * (Double($0) * step).truncatingRemainder(dividingBy: 1) - 1) }
        }
        let x = sequence(0.7548776662466927)
        let y = sequence(0.5698402909980532)
        return [x, y, x.map { $0 - $0 * $0 * $0 / 6 }, y.map { 1 - $0 * $0 / 2 }, x.map { 1 + 0.1 * $0 }]
    }
}

extension Workload {
    /// Operations of the layer products of a step on so many points of each program: forward, adjoint of the activations and
    /// adjoint of the weights, for every channel that a network carries. All else is small beside them.
    package func productOperations(points: [Int]) -> Double {
        networks.networks.enumerated().reduce(0) { sum, network in
            let outputs = networks.outputs(of: network.offset)
            let channels = zip(programs, points).reduce(0) {
                $0 + ($1.0.program.derivatives(ofOutputs: outputs)?.channelCount ?? 0) * $1.1
            }
            let width = Double(network.element.width)
            return sum + 3 * Double(network.element.hiddenLayers - 1) * 2 * width * width * Double(channels)
        }
    }
}
