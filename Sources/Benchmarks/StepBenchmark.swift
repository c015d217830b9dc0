import Compute
import ComputeCPU
import Fields
import Optimizers
import Planning
import Training

/// Makes a device by name for a problem; only the command knows which there are. Nil threads: all cores.
public typealias BackendMaker = (_ name: String, _ residualProblem: ResidualProblem, _ threads: Int?) throws ->
    any Backend

/// Timing of a whole training step (loss, gradient and Adam) with the points in memory.
public struct StepBenchmark: Codable, Sendable {
    public var problem = "shallow-shelf"
    public var network = "8x128"
    public var subdomains = "1x1"
    public var fourier = "none"
    public var points: Int
    public var backend: String
    /// Nil if the device has no choice of threads.
    public var threads: Int?
    /// Approximate duration of the measurement [s].
    public var seconds: Double

    public init(points: Int, backend: String, threads: Int?) {
        self.points = points
        self.backend = backend
        self.threads = threads
        seconds = 5
    }

    public func run(_ makeBackend: BackendMaker) throws -> StepRow {
        let problem = try StepProblem.named(self.problem, network, subdomains: subdomains, fourier: fourier)
        let device = try makeBackend(backend, problem.residualProblem, threads)
        var parameters = problem.residualProblem.networks.initialParameters(seed: 0)
        var optimizer = Adam(parameterCount: parameters.count, options: OptimizerOptions())
        var gradient: [Float] = []
        let batches = problem.batches(points: points)
        let coefficients = problem.coefficients(points: points)
        func step() throws {
            _ = try device.squaredResiduals(
                parameters: parameters, batches: batches, coefficients: coefficients, gradient: &gradient)
            optimizer.step(&parameters, loss: 0, gradient: gradient) { _, _ in 0 }
        }
        if let device = device as? any SteppingBackend & RatedBackend {
            return try run(on: device, problem, batches, coefficients, parameters, &optimizer)
        }
        // Warm-up: the first step also fills caches and pools.
        try step()
        let estimate = try ContinuousClock().measure(step) / .seconds(1)
        // Read before the yardstick allocates its matrices; later steps need no more memory.
        let peak = ProcessMemory.peakBytes
        let yardstick = threads.map { SGEMMRate(threads: $0) }
        let measured = try Alternation(
            seconds: seconds, yardstick: yardstick, estimate: estimate,
            operations: problem.residualProblem.productOperations(points: problem.counts(points: points)), step: step)
        return StepRow(
            problem: problem.name, network: network, backend: backend, threads: threads, points: points,
            device: device.summary, measured: StepTiming(measured, points: points), peakBytes: peak)
    }
    /// Times whole steps on a device that makes them by itself, sixteen at a time, without waiting for one before the next.
    private func run(
        on device: any SteppingBackend & RatedBackend, _ problem: StepProblem, _ batches: [PointBatch],
        _ coefficients: [[Double]], _ parameters: [Float], _ adam: inout Adam
    ) throws -> StepRow {
        let zeros = [Float](repeating: 0, count: parameters.count)
        try device.beginSteps(MomentState(parameters: parameters, first: zeros, second: zeros))
        func group() throws {
            for _ in 0..<16 {
                try device.accumulate(batches: batches, coefficients: coefficients)
                try device.update(MomentFactors(&adam))
            }
            _ = try device.results(all: true)
        }
        // Warm-up: the first steps also compile, allocate and capture the graph.
        try group()
        let clock = ContinuousClock()
        let begin = clock.now
        var steps: [Double] = []
        while steps.count < 3 || (clock.now - begin) / .seconds(1) < seconds {
            steps.append(try clock.measure(group) / .seconds(16))
        }
        _ = try device.endSteps()
        let rates = try device.rates()
        let operations = problem.residualProblem.productOperations(points: problem.counts(points: points))
        let shares = steps.map { operations / $0 / rates.products }
        let timing = StepTiming(
            steps: 16 * steps.count, stepSeconds: steps.median ?? 0, points: points, sgemmRate: rates.products,
            share: shares.median, shareQuartiles: shares.quartiles)
        return StepRow(
            problem: problem.name, network: network, backend: backend, threads: threads, points: points,
            device:
                "\(device.summary); products \(NumberText.plain(rates.products / 1e12)) TFLOP/s, copies \(NumberText.plain(rates.copies / 1e9)) GB/s",
            measured: timing, peakBytes: ProcessMemory.peakBytes)
    }
}
