import Compute
import ComputeCPU
import Fields
import Networks
import Optimizers
import Physics
import Pointwise

/// A whole training step (loss, gradient and Adam) of the group's own problem: residual and data misfit at the same
/// points, as ../shared/anchors/jax_step.py and the tables of Wang et al. have it.
public struct StepBenchmark {
    public struct Result: Sendable {
        public let points: Int
        public let steps: Int
        /// Median over the steps [s].
        public let secondsPerStep: Double
        /// OpenBLAS's rate before and after, the mean [FLOP/s].
        public let matrixRate: Double
        /// Operations of the layer products of a step.
        public let operations: Double

        /// Seconds for a point and a thousand iterations.
        public var unitTime: Double { secondsPerStep * 1000 / Double(points) }
        public var pointsPerSecond: Double { Double(points) / secondsPerStep }
        /// The products' rate as a share of OpenBLAS's, as if a step were nothing else.
        public var share: Double { operations / secondsPerStep / matrixRate }
    }

    private let networks: NetworkGroup
    private let workload: Workload
    private let backend: any Backend
    private let threads: Int

    public init(networks: NetworkGroup, threads: Int, makeBackend: (Workload) throws -> any Backend) throws {
        self.networks = networks
        self.threads = threads
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
        workload = Workload(networks: networks, inputSlopes: (1, 1), programs: [PointProgram(program)])
        backend = try makeBackend(workload)
    }

    public var summary: String { backend.summary }

    /// Layer products of a step: forward, adjoint of the activations and adjoint of the weights, for every channel that a
    /// network carries.
    private func operations(points: Int) -> Double {
        networks.networks.enumerated().reduce(0) { sum, network in
            let channels = workload.programs[0].program.derivatives(ofOutputs: networks.outputs(of: network.offset))
            let width = Double(network.element.width)
            return sum + 3 * Double(channels?.channelCount ?? 0) * Double(network.element.hiddenLayers - 1) * 2 * width
                * width * Double(points)
        }
    }

    /// Times steps for about so many seconds, at least three.
    public func run(points: Int, seconds: Double) throws -> Result {
        let columns = StepBenchmark.columns(points)
        var parameters = networks.initialParameters(seed: 0)
        var optimizer = Adam(parameterCount: parameters.count, options: OptimizerOptions())
        var gradient: [Float] = []
        let coefficients = [[0.05, 0.05, 1, 1, 1].map { $0 / Double(points) }]
        let clock = ContinuousClock()
        func step() throws {
            _ = try backend.squaredResiduals(
                parameters: parameters, batches: [PointBatch(columns: columns)], coefficients: coefficients,
                gradient: &gradient)
            optimizer.step(&parameters, loss: 0, gradient: gradient) { _, _ in 0 }
        }
        try step()
        let before = MatrixRate.measure(threads: threads, seconds: 0.5)
        var times: [Double] = []
        let begin = clock.now
        while times.count < 3 || clock.now - begin < .seconds(seconds) {
            times.append(try clock.measure { try step() } / .seconds(1))
        }
        let after = MatrixRate.measure(threads: threads, seconds: 0.5)
        return Result(
            points: points, steps: times.count, secondsPerStep: times.sorted()[times.count / 2],
            matrixRate: (before + after) / 2,
            operations: operations(points: points))
    }

    /// Positions spread evenly over the square (the R2 sequence of Roberts 2018), and smooth data at them.
    private static func columns(_ points: Int) -> [[Float]] {
        let x = (0..<points).map { Float(2 * (Double($0) * 0.7548776662466927).truncatingRemainder(dividingBy: 1) - 1) }
        let y = (0..<points).map { Float(2 * (Double($0) * 0.5698402909980532).truncatingRemainder(dividingBy: 1) - 1) }
        return [x, y, x.map { $0 - $0 * $0 * $0 / 6 }, y.map { 1 - $0 * $0 / 2 }, x.map { 1 + 0.1 * $0 }]
    }
}
