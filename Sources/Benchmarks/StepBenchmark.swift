import Compute
import ComputeCPU
import Optimizers

/// Makes the device of a name for a workload; only the command knows which there are. Nil threads: all cores.
public typealias BackendMaker = (_ name: String, _ workload: Workload, _ threads: Int?) throws -> any Backend

/// A whole training step (loss, gradient and Adam) with the points in memory.
public struct StepBenchmark: Codable, Sendable {
    public var problem = "shallow-shelf"
    public var network = "8x128"
    public var tiles = "1x1"
    public var fourier = "none"
    public var points: Int
    public var backend: String
    /// Nil where the device has no threads to choose.
    public var threads: Int?
    /// About how long the measurement lasts.
    public var seconds: Double

    public init(points: Int, backend: String, threads: Int?) {
        self.points = points
        self.backend = backend
        self.threads = threads
        seconds = 5
    }

    public func run(_ makeBackend: BackendMaker) throws -> StepRow {
        let problem = try StepProblem.named(self.problem, network, tiles: tiles, fourier: fourier)
        let device = try makeBackend(backend, problem.workload, threads)
        var parameters = problem.workload.networks.initialParameters(seed: 0)
        var optimizer = Adam(parameterCount: parameters.count, options: OptimizerOptions())
        var gradient: [Float] = []
        let batches = problem.batches(points: points)
        let coefficients = problem.coefficients(points: points)
        func step() throws {
            _ = try device.squaredResiduals(
                parameters: parameters, batches: batches, coefficients: coefficients, gradient: &gradient)
            optimizer.step(&parameters, loss: 0, gradient: gradient) { _, _ in 0 }
        }
        // The first step also fills caches and pools.
        try step()
        let estimate = try ContinuousClock().measure(step) / .seconds(1)
        // Before the yardstick's matrices: a step needs no more later on.
        let peak = ProcessMemory.peakBytes
        let yardstick = threads.map { MatrixRate(threads: $0) }
        let measured = try Alternation(
            seconds: seconds, yardstick: yardstick, estimate: estimate,
            operations: problem.workload.productOperations(points: problem.counts(points: points)), step: step)
        return StepRow(
            problem: problem.name, network: network, backend: backend, threads: threads, points: points,
            device: device.summary, measured: StepTiming(measured, points: points), peakBytes: peak)
    }
}
