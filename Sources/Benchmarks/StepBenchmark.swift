import Compute
import ComputeCPU
import Fields
import Optimizers
import Planning
import Training

/// Timing of a whole training step (loss, gradient and Adam) with the points in memory.
extension BenchmarkTask {
    public var stepProblem: StepProblem {
        get throws { try StepProblem(problem, network, subdomains: subdomains, fourier: fourier) }
    }

    public func timeSteps(_ makeBackend: BackendMaker) throws -> StepRow {
        let problem = try stepProblem
        let device = try makeBackend(backend, problem.residualProblem, threads)
        let operations = problem.residualProblem.productOperations(points: problem.counts(points: points))
        if let device = device as? any SteppingBackend & RatedBackend {
            return try timeSteps(on: device, problem, operations)
        }
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
        // Warm-up: the first step also fills caches and pools.
        try step()
        let estimate = try ContinuousClock().measure(step) / .seconds(1)
        // Read before the yardstick allocates its matrices; later steps need no more memory.
        let peak = ProcessMemory.peakBytes
        let yardstick = threads.map { SGEMMRate(threads: $0) }
        let measured = try Alternation(
            seconds: seconds, yardstick: yardstick, estimate: estimate, operations: operations, step: step)
        let timing = StepTiming(
            steps: measured.steps, points: points, sgemmRates: measured.sgemmRates, shares: measured.shares)
        return row(timing, device: device.summary, peakBytes: peak)
    }

    /// Times whole steps on a device that makes them by itself, sixteen at a time, without waiting for one before the next.
    private func timeSteps(
        on device: any SteppingBackend & RatedBackend, _ problem: StepProblem, _ operations: Double
    ) throws -> StepRow {
        let parameters = problem.residualProblem.networks.initialParameters(seed: 0)
        var adam = Adam(parameterCount: parameters.count, options: OptimizerOptions())
        let batches = problem.batches(points: points)
        let coefficients = problem.coefficients(points: points)
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
        var timing = StepTiming(
            steps: steps, points: points, sgemmRates: [rates.products],
            shares: steps.map { operations / $0 / rates.products })
        timing.steps *= 16
        return row(
            timing,
            device:
                "\(device.summary); products \(NumberText.plain(rates.products / 1e12)) TFLOP/s, copies \(NumberText.plain(rates.copies / 1e9)) GB/s",
            peakBytes: ProcessMemory.peakBytes)
    }

    private func row(_ timing: StepTiming, device: String, peakBytes: Int) -> StepRow {
        StepRow(
            problem: problem.rawValue, network: network, backend: backend, threads: threads, points: points,
            device: device, measured: timing, peakBytes: peakBytes)
    }
}
