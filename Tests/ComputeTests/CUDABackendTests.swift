import Compute
import ComputeCPU
import ComputeCUDA
import Networks
import Objective
import Physics
import Pointwise
import TestSupport
import Testing

/// The backend for GPUs, its kernels and its calls of the driver, on stand-ins for CUDA's libraries: what is proven here is the
/// arithmetic, the memory and the order of things. That NVIDIA's compiler takes the same text is proven in CUDACompilationTests.
@Suite("The CUDA backend, on stand-ins", .enabled(if: StandIns.shared != nil, "no C++ compiler on the PATH"))
struct CUDABackendTests {
    private let standIns = StandIns.shared!

    private func backend(
        _ residualProblem: ResidualProblem, precision: Precision = .fp32, memoryLimit: Int? = nil
    ) throws -> CUDABackend {
        try CUDABackend(
            residualProblem, precision: precision, memoryLimit: memoryLimit, places: standIns.places,
            cacheFolder: standIns.cacheFolder)
    }

    private func compare(_ sample: SampleWorkload, _ backend: CUDABackend, count: Int, bound: Double = 2e-6) throws {
        let batches = sample.residualProblem.programs.indices.map { SampleWorkload.points(count, seed: UInt64($0)) }
        var gradient: [Float] = []
        let sums = try backend.squaredResiduals(
            parameters: sample.parameters, batches: batches, coefficients: sample.coefficients, gradient: &gradient)
        let exact = ReferenceBackend(sample.residualProblem).squaredResiduals(
            parameters: sample.parameters.map(Double.init), batches: batches, coefficients: sample.coefficients)
        #expect(relativeError(gradient.map(Double.init), exact.gradient) < bound)
        let scale = exact.sums.joined().max() ?? 0
        for (sum, exactSum) in zip(sums.joined(), exact.sums.joined()) {
            #expect(abs(sum - exactSum) < bound * (exactSum + 0.01 * scale))
        }
    }

    /// Widths that no block divides, and counts below, at and beyond the end of a slice.
    @Test("agrees with the reference", arguments: [1, 7, 33, 130], [1, 64, 193])
    func gradient(width: Int, count: Int) throws {
        let sample = SampleWorkload(hiddenLayers: 2, width: width)
        try compare(sample, backend(sample.residualProblem), count: count)
    }

    @Test("agrees with the reference for networks side by side", arguments: [1, 40], [5, 64])
    func networksSideBySide(width: Int, count: Int) throws {
        let lonely = PointProgram(
            Program.recording { tracer in
                [tracer.input(.channel(output: 2, .x)) - tracer.input(.column(2))]
            })
        let uneven = PointProgram(
            Program.recording { tracer in
                [
                    tracer.input(.channel(output: 0, .xy)) * tracer.input(.channel(output: 2, .y)),
                    tracer.input(.channel(output: 2, .value)) * tracer.input(.channel(output: 1, .yy)),
                ]
            })
        let sample = SampleWorkload(
            hiddenLayers: 2, width: width, split: true, programs: [.sample(.second), lonely, uneven])
        try compare(sample, backend(sample.residualProblem), count: count)
    }

    @Test("agrees with the reference with Fourier features", arguments: [1, 9, 40], [false, true])
    func fourier(width: Int, split: Bool) throws {
        let sample = SampleWorkload(hiddenLayers: 3, width: width, split: split, deviation: 3)
        // As on the CPU: angles of ten radians are rounded to 5e-7, and frequencies multiply that twice.
        try compare(sample, backend(sample.residualProblem), count: 70, bound: 1e-5)
    }

    @Test(
        "agrees with the reference on decomposed domains", arguments: [(1, 2), (3, 1), (2, 2), (3, 4)], [false, true])
    func decomposed(_ tiles: (Int, Int), split: Bool) throws {
        let sample = SampleWorkload(
            hiddenLayers: 2, width: 9, split: split, Decomposition(rows: tiles.0, columns: tiles.1))
        // Second derivatives of windows are up to 5.8 / overlap² = 41.
        try compare(sample, backend(sample.residualProblem), count: 150, bound: 1e-5)
    }

    @Test("agrees with the reference where points go through its memory tile by tile")
    func manyTiles() throws {
        let sample = SampleWorkload(hiddenLayers: 2, width: 33)
        let whole = try backend(sample.residualProblem)
        // What is fixed takes 33 MiB; what is left holds a few hundred points.
        let tiled = try backend(sample.residualProblem, memoryLimit: 36 << 20)
        #expect(tiled.summary != whole.summary)
        try compare(sample, tiled, count: 2500)
        #expect(tiled.peakDeviceBytes <= 36 << 20)
        let program = PointProgram.channels(.second, outputs: SampleWorkload.outputs)
        let points = SampleWorkload.points(2500)
        #expect(
            try tiled.outputs(of: program, parameters: sample.parameters, at: points)
                == whole.outputs(of: program, parameters: sample.parameters, at: points))
    }

    @Test("gives the outputs that the reference gives, where the points stood", arguments: [(1, 1), (2, 3)])
    func outputs(_ tiles: (Int, Int)) throws {
        let sample = SampleWorkload(
            hiddenLayers: 3, width: 20, split: true, Decomposition(rows: tiles.0, columns: tiles.1))
        let program = PointProgram.channels(.second, outputs: SampleWorkload.outputs)
        let points = SampleWorkload.points(100)
        let found = try backend(sample.residualProblem).outputs(of: program, parameters: sample.parameters, at: points)
        let exact = try ReferenceBackend(sample.residualProblem).outputs(
            of: program, parameters: sample.parameters, at: points)
        for (one, other) in zip(found, exact) {
            #expect(relativeError(one.map(Double.init), other.map(Double.init)) < 1e-5)
        }
    }

    /// On a GPU all threads run at once: an order of turns that changes bits is a race.
    @Test("gives the same bits in whatever order threads and blocks take their turns, and every time")
    func threadOrder() throws {
        let sample = SampleWorkload(hiddenLayers: 2, width: 40, split: true, Decomposition(rows: 1, columns: 2))
        let batches = (0..<3).map { SampleWorkload.points(300, seed: UInt64($0)) }
        defer { standIns.setThreadOrder(0) }
        let results = try [Int32]([0, 1, 2, 0]).map { order in
            standIns.setThreadOrder(order)
            var gradient: [Float] = []
            let sums = try backend(sample.residualProblem).squaredResiduals(
                parameters: sample.parameters, batches: batches, coefficients: sample.coefficients, gradient: &gradient)
            return (gradient.map(\.bitPattern), sums)
        }
        for other in results.dropFirst() {
            #expect(other.0 == results[0].0)
            #expect(other.1 == results[0].1)
        }
    }

    @Test("agrees with the reference for every physics", arguments: EquationCatalog.models.map(\.name))
    func physics(_ physics: String) throws {
        let inversion = try Inversion(physics: physics, collocation: 200, others: 100)
        var gradient: [Float] = []
        let loss = try inversion.objective.evaluate(
            backend(inversion.objective.residualProblem), parameters: inversion.parameters, chunk: inversion.chunk,
            gradient: &gradient)
        let parameters = inversion.parameters.map(Double.init)
        // As for the CPU; a power -2/3 of a strain rate that passes through zero magnifies roundings in the loss too.
        let isSteep = physics == "flow-line"
        #expect(relativeError(gradient.map(Double.init), inversion.gradient(parameters)) < (isSteep ? 1e-4 : 5e-6))
        #expect(abs(loss.total - inversion.loss(parameters)) < (isSteep ? 3e-5 : 2e-6) * loss.total)
    }

    @Test("agrees with the CPU backend for the network that users train")
    func usersNetwork() throws {
        let inversion = try Inversion(hiddenLayers: 8, width: 128, collocation: 130, others: 100)
        var (gradient, expected): ([Float], [Float]) = ([], [])
        let loss = try inversion.objective.evaluate(
            backend(inversion.objective.residualProblem), parameters: inversion.parameters, chunk: inversion.chunk,
            gradient: &gradient)
        let other = try inversion.objective.evaluate(
            CPUBackend(inversion.objective.residualProblem), parameters: inversion.parameters, chunk: inversion.chunk,
            gradient: &expected)
        #expect(relativeError(gradient.map(Double.init), expected.map(Double.init)) < 5e-6)
        #expect(abs(loss.total - other.total) < 2e-6 * other.total)
    }

    /// The stand-in rounds factors as tensor cores do. Products of 40 terms of mixed sign, through three layers and back; six
    /// channels each.
    @Test(
        "is as far from the reference as its precision says",
        arguments: [(Precision.tf32, 1e-4, 1e-2), (.bf16x3, 1e-7, 1e-4)], [nil, 3])
    func precision(_ expected: (Precision, atLeast: Double, atMost: Double), deviation: Double?) throws {
        let sample = SampleWorkload(hiddenLayers: 3, width: 40, split: true, deviation: deviation)
        let batches = (0..<3).map { SampleWorkload.points(200, seed: UInt64($0)) }
        var gradient: [Float] = []
        _ = try backend(sample.residualProblem, precision: expected.0).squaredResiduals(
            parameters: sample.parameters, batches: batches, coefficients: sample.coefficients, gradient: &gradient)
        let exact = ReferenceBackend(sample.residualProblem).squaredResiduals(
            parameters: sample.parameters.map(Double.init), batches: batches, coefficients: sample.coefficients)
        let error = relativeError(gradient.map(Double.init), exact.gradient)
        print("\(expected.0): \(error)")
        #expect(error > expected.atLeast && error < expected.atMost)
    }

    @Test("measures what its libraries reach, with steps before and after")
    func rates() throws {
        let sample = SampleWorkload(hiddenLayers: 2, width: 8)
        let backend = try backend(sample.residualProblem)
        try compare(sample, backend, count: 10)
        let rates = try backend.rates()
        // A host, between a megaflop and a petaflop a second.
        #expect(rates.products > 1e6 && rates.products < 1e15)
        #expect(rates.copies > 1e6 && rates.copies < 1e15)
        try compare(sample, backend, count: 10)
    }

    @Test("says what it needs where the smallest tile does not fit")
    func tooSmall() throws {
        let sample = SampleWorkload(hiddenLayers: 2, width: 130)
        let error = #expect(throws: CUDAError.self) {
            _ = try backend(sample.residualProblem, memoryLimit: 34 << 20)
        }
        #expect(error?.explanation.contains("the smallest tile") == true)
        #expect(error?.kind == .unavailable)
    }

    @Test("names everything it looked for where there is no driver")
    func noDriver() {
        let sample = SampleWorkload(hiddenLayers: 2, width: 8)
        let error = #expect(throws: CUDAError.self) {
            _ = try CUDABackend(sample.residualProblem, places: LibraryPaths(folders: ["/nowhere/a", "/nowhere/b"]))
        }
        #expect(
            error?.explanation
                == "--backend cuda: no NVIDIA GPU driver: looked for libcuda.so.1 in /nowhere/a, /nowhere/b; install it, set PINN_CUDA_PATH to its folder, or use --backend cpu"
        )
        #expect(error?.kind == .unavailable)
    }
}
