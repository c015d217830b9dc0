import Compute
import ComputeCPU
import ComputeCUDA
import Fields
import Optimizers
import PointStore
import Runs
import TestSupport
import Testing
import Training

/// Whole steps on a GPU: the graph of a step, copies beside it, Adam and the losses that come back late. On stand-ins, which do
/// what a stream is asked as late as they may.
@Suite("Training on a GPU, on stand-ins", .enabled(if: StandIns.shared != nil, "no C++ compiler on the PATH"))
struct DeviceTrainingTests {
    private func gpuRun(memoryLimit: Int? = nil, precision: Precision = .fp32, fusion: LayerFusion? = nil) throws
        -> ShortRun
    {
        let standIns = try #require(StandIns.shared)
        var short = try ShortRun()
        short.device = {
            try CUDABackend(
                $0, precision: precision, host: CPUBackend($0, threads: 2), memoryLimit: memoryLimit, fusion: fusion,
                places: standIns.places, cacheFolder: standIns.cacheFolder)
        }
        return short
    }

    /// The same run on the GPU and on the CPU.
    private func trainOnBoth(_ gpu: ShortRun, iterations: Int) throws -> (gpu: Checkpoint, cpu: Checkpoint) {
        var cpu = gpu
        cpu.device = nil
        return (try gpu.train("gpu", iterations: iterations), try cpu.train("cpu", iterations: iterations))
    }

    @Test("follows the CPU's loss for a hundred iterations")
    func curve() throws {
        let gpu = try gpuRun()
        let (found, expected) = try trainOnBoth(gpu, iterations: 100)
        #expect(found.iteration == 100 && found.history.count == 100)
        #expect(found.backend.hasPrefix("CUDA") && expected.backend.hasPrefix("CPU"))
        // Roundings of 1e-7 grow as Adam divides small slopes by small moments.
        for (one, other) in zip(found.history.totals, expected.history.totals) {
            #expect(abs(one - other) < 1e-3 * other)
        }
        #expect(abs(found.history.totals[10] - expected.history.totals[10]) < 1e-5 * expected.history.totals[10])
        #expect(found.history.totals[99] < 0.9 * found.history.totals[0])
    }

    @Test("takes the Jacobian of sampled rows from its host")
    func sampledRows() throws {
        var gpu = try gpuRun()
        try gpu.configuration.set("optimizer", to: "lm:3,ssbroyden:3")
        let (found, expected) = try trainOnBoth(gpu, iterations: 6)
        // Damping and length are the best of several: roundings may choose others.
        for (one, other) in zip(found.history.totals, expected.history.totals) {
            #expect(abs(one - other) < 1e-2 * other)
        }
        #expect(found.history.totals[5] < 0.5 * found.history.totals[0])
    }

    @Test("learns with fused layers as with layers one by one", arguments: [Precision.tf32, .bf16x3])
    func fusedCurve(precision: Precision) throws {
        let runs = try [LayerFusion.warps, .none].map { fusion in
            var gpu = try gpuRun(precision: precision, fusion: fusion)
            try gpu.configuration.set("network", to: "3x32")
            return try gpu.train("fused-\(fusion.rawValue)", iterations: 40)
        }
        #expect(runs[0].backend.contains("in fused layers") && !runs[1].backend.contains("fused"))
        // Roundings of the precision, which Adam magnifies as it does those of fp32.
        let bound = precision == .tf32 ? 2e-2 : 1e-3
        for (one, other) in zip(runs[0].history.totals, runs[1].history.totals) {
            #expect(abs(one - other) < bound * other)
        }
        #expect(runs[0].history.totals[39] < runs[0].history.totals[0])
    }

    /// Losses come back in groups of sixteen, and checkpoints fall anywhere.
    @Test("goes on as if it had not been stopped", arguments: [1, 2, 15, 16, 17, 40])
    func resumes(stop: Int) throws {
        let short = try gpuRun()
        let whole = try short.train("whole", iterations: 60)
        try short.train("run", iterations: 60, stopAt: stop)
        let resumed = try short.resume("run", iterations: 60)
        #expect(sameBits(resumed, whole))
        // Asked for more in the end.
        try short.train("extended", iterations: stop)
        #expect(sameBits(try short.resume("extended", iterations: 60), whole))
    }

    @Test("hands over between phases and drawings", arguments: ["adam:20,lbfgs:10", "adam:40"])
    func phases(_ optimizer: String) throws {
        var short = try gpuRun()
        try short.configuration.set("optimizer", to: optimizer)
        short.configuration.stream.sample = 900
        if optimizer == "adam:40" {
            short.configuration.sampling.method = .rad
            short.configuration.sampling.every = 12
        }
        let whole = try short.train("whole", iterations: 30)
        #expect(whole.history.count == 30)
        for stop in [11, 12, 13, 20, 21] {
            try short.train("run\(stop)", iterations: 30, stopAt: stop)
            #expect(sameBits(try short.resume("run\(stop)", iterations: 30), whole), "stopped at \(stop)")
        }
    }

    /// A prior counts in parts of what is left of the other terms, which is looked up every hundred iterations.
    @Test("weighs a prior as the CPU does")
    func prior() throws {
        var gpu = try gpuRun()
        try gpu.configuration.set("physics", to: "anisotropic")
        var cpu = gpu
        cpu.device = nil
        let found = try gpu.train("gpu", iterations: 130)
        let expected = try cpu.train("cpu", iterations: 130)
        let factors = try (#require(found.balance), #require(expected.balance))
        for (one, other) in zip(factors.0, factors.1) { #expect(abs(one - other) < 1e-3 * other) }
        #expect(factors.0.contains { $0 != 1 })
        for (one, other) in zip(found.history.totals, expected.history.totals) {
            #expect(abs(one - other) < 2e-3 * other)
        }
        for stop in [100, 101] {
            try gpu.train("run\(stop)", iterations: 130, stopAt: stop)
            #expect(sameBits(try gpu.resume("run\(stop)", iterations: 130), found), "stopped at \(stop)")
        }
    }

    @Test("trains a decomposed domain, chunk after chunk of other zones")
    func decomposed() throws {
        var gpu = try gpuRun()
        try gpu.configuration.set("subdomains", to: "2x2")
        let (found, expected) = try trainOnBoth(gpu, iterations: 20)
        for (one, other) in zip(found.history.totals, expected.history.totals) {
            #expect(abs(one - other) < 1e-3 * other)
        }
    }

    @Test("trains chunks that its memory does not hold at once")
    func tiled() throws {
        var gpu = try gpuRun(memoryLimit: 36 << 20)
        gpu.configuration.stream.chunk = 20_000
        var cpu = gpu
        cpu.device = nil
        let found = try gpu.train("gpu", iterations: 3)
        let expected = try cpu.train("cpu", iterations: 3)
        for (one, other) in zip(found.history.totals, expected.history.totals) {
            #expect(abs(one - other) < 1e-5 * other)
        }
    }

    @Test("stops with the last good checkpoint named where the loss becomes NaN")
    func divergence() throws {
        var short = try gpuRun()
        let good = try short.train("run", iterations: 5)
        short.configuration.learningRate.peak = 1e30
        short.configuration.learningRate.warmUp = 0
        let directory = RunDirectory(short.folder.file("run"))
        try directory.acquire(resuming: true)
        let before = directory.checkpoints
        var trainer = try Trainer(resuming: good, short.context(iterations: 50), in: directory)
        let failure = #expect(throws: RunError.self) {
            _ = try trainer.run(checkpointEvery: .seconds(3600), shouldStop: { false }, report: { _ in })
        }
        #expect(failure?.kind == .diverged)
        #expect(directory.checkpoints == before)
    }

    /// Adam on the GPU is the same operations in the same order as on the CPU.
    @Test("moves weights as the CPU does, for one gradient")
    func adam() throws {
        let gpu = try gpuRun()
        let context = try gpu.context(iterations: 1)
        let device = try #require(context.backend as? any SteppingBackend)
        let networks = context.objective.residualProblem.networks
        var parameters = networks.initialParameters(seed: 4)
        let chunk = try context.stream.chunk(0)
        let (batches, coefficients) = context.objective.evaluation(of: chunk)
        var gradient: [Float] = []
        _ = try device.squaredResiduals(
            parameters: parameters, batches: batches, coefficients: coefficients, gradient: &gradient)
        var adam = Adam(parameterCount: parameters.count, options: OptimizerOptions())
        var other = adam
        let begin = MomentState(
            parameters: parameters, first: adam.state.firstMoment,
            second: adam.state.secondMoment)
        adam.step(&parameters, loss: 0, gradient: gradient) { _, _ in 0 }
        try device.beginSteps(begin)
        try device.accumulate(batches: batches, coefficients: coefficients)
        try device.update(MomentFactors(&other))
        let results = try device.results(all: true)
        let end = try device.endSteps()
        #expect(results.count == 1 && results[0].isGradientFinite)
        #expect(relativeError(end.parameters.map(Double.init), parameters.map(Double.init)) < 1e-7)
        #expect(end.first != begin.first && end.parameters != begin.parameters)
        #expect(
            relativeError(end.second.map(Double.init), adam.state.secondMoment.map(Double.init)) < 1e-6)
    }
}
