import Compute
import ComputeCPU
import ComputeCUDA
import Networks
import Physics
import Pointwise
import TestSupport
import Testing

/// Layers that are fused on tensor cores, on stand-ins, whose threads bring fragments to a warp's product as NVIDIA's manual says,
/// rounded as tensor cores round them. What is proven is as in CUDABackendTests; errors are those of the precision.
@Suite("Fused layers, on stand-ins", .enabled(if: StandIns.shared != nil, "no C++ compiler on the PATH"))
struct CUDAFusedTests {
    private let standIns = StandIns.shared!

    private func backend(
        _ residualProblem: ResidualProblem, _ precision: Precision, memoryLimit: Int? = nil,
        fusion: LayerFusion = .warps,
        sharedMemory: Int? = nil
    ) throws -> CUDABackend {
        try CUDABackend(
            residualProblem, precision: precision, memoryLimit: memoryLimit, fusion: fusion, sharedMemory: sharedMemory,
            places: standIns.places, cacheFolder: standIns.cacheFolder)
    }

    /// Of the gradient. Factors of tf32 are off by 2⁻¹², those of bf16x3 by 2⁻¹⁷; a few layers there and back, with channels that are
    /// differences of larger numbers, multiply that by three to eight.
    private static func bound(_ precision: Precision) -> Double { precision == .tf32 ? 2e-3 : 3e-5 }

    /// Compares with the reference, and demands that the error is the precision's: not smaller than it can be.
    private func compare(_ sample: SampleWorkload, _ backend: CUDABackend, _ precision: Precision, count: Int) throws {
        let batches = sample.residualProblem.programs.indices.map { SampleWorkload.points(count, seed: UInt64($0)) }
        var gradient: [Float] = []
        let sums = try backend.squaredResiduals(
            parameters: sample.parameters, batches: batches, coefficients: sample.coefficients, gradient: &gradient)
        let exact = ReferenceBackend(sample.residualProblem).squaredResiduals(
            parameters: sample.parameters.map(Double.init), batches: batches, coefficients: sample.coefficients)
        let bound = CUDAFusedTests.bound(precision)
        let error = relativeError(gradient.map(Double.init), exact.gradient)
        #expect(error < bound && error > bound * 1e-3)
        let scale = exact.sums.joined().max() ?? 0
        for (sum, exactSum) in zip(sums.joined(), exact.sums.joined()) {
            #expect(abs(sum - exactSum) < 2 * bound * (exactSum + 0.01 * scale))
        }
    }

    /// A tile is of 32 points of six channels, 64 of three, 192 of one; the stand-in's GPU has two multiprocessors.
    @Test(
        "agree with the reference for one, three and six channels", arguments: [32, 64, 96, 128],
        [Precision.tf32, .bf16x3])
    func gradient(width: Int, precision: Precision) throws {
        let sample = SampleWorkload(hiddenLayers: 3, width: width)
        for count in width == 32 ? [1, 64, 450] : [100] {
            let backend = try backend(sample.residualProblem, precision)
            #expect(backend.summary.contains("\(precision.rawValue) in fused layers"))
            try compare(sample, backend, precision, count: count)
        }
    }

    /// Tiles as above. Networks of other widths take products of warps.
    @Test(
        "of warpgroups agree with the reference for one, three and six channels", arguments: [64, 128],
        [Precision.tf32, .bf16x3])
    func warpgroups(width: Int, precision: Precision) throws {
        let sample = SampleWorkload(hiddenLayers: 3, width: width)
        for count in width == 64 ? [1, 64, 450] : [100] {
            let backend = try backend(sample.residualProblem, precision, fusion: .warpgroups)
            #expect(backend.summary.contains("\(precision.rawValue) in fused layers of warpgroups"))
            try compare(sample, backend, precision, count: count)
        }
        let other = SampleWorkload(hiddenLayers: 2, width: 96)
        #expect(try !backend(other.residualProblem, precision, fusion: .warpgroups).summary.contains("warpgroups"))
    }

    @Test("agree with the reference for networks that have one hidden layer", arguments: [nil, 3.0])
    func oneLayer(deviation: Double?) throws {
        let fourier = deviation.map { FourierFeatures(count: 32, deviation: $0, seed: 8) }
        let network = Perceptron(hiddenLayers: 1, width: 64, outputs: SampleWorkload.outputs, fourier: fourier)
        let sample = SampleWorkload(NetworkGroup([network]), programs: [.sample(.second)])
        let backend = try backend(sample.residualProblem, .tf32)
        guard deviation == nil else { return try compare(sample, backend, .tf32, count: 70) }
        // No product of hidden layers: single precision throughout.
        let points = SampleWorkload.points(70)
        var gradient: [Float] = []
        _ = try backend.squaredResiduals(
            parameters: sample.parameters, batches: [points], coefficients: sample.coefficients, gradient: &gradient)
        let exact = ReferenceBackend(sample.residualProblem).squaredResiduals(
            parameters: sample.parameters.map(Double.init), batches: [points], coefficients: sample.coefficients)
        #expect(relativeError(gradient.map(Double.init), exact.gradient) < 2e-6)
    }

    @Test(
        "agree with the reference with Fourier features, beside other fused networks and beside others",
        arguments: [Precision.tf32, .bf16x3], [(64, 32, LayerFusion.warps), (35, 32, .warps), (128, 64, .warpgroups)])
    func sideBySide(precision: Precision, _ beside: (other: Int, width: Int, fusion: LayerFusion)) throws {
        let fourier = FourierFeatures(count: beside.width / 2, deviation: 2, seed: 8)
        let networks = [
            Perceptron(hiddenLayers: 2, width: beside.other, outputs: 2),
            Perceptron(hiddenLayers: 3, width: beside.width, outputs: 1, fourier: fourier),
        ]
        let sample = SampleWorkload(
            NetworkGroup(networks), programs: [.sample(.none), .sample(.first), .sample(.second)])
        let backend = try backend(sample.residualProblem, precision, fusion: beside.fusion)
        #expect(backend.summary.contains(beside.other == 35 ? "some layers fused" : "in fused layers"))
        try compare(sample, backend, precision, count: 90)
    }

    @Test(
        "agree with the reference on decomposed domains",
        arguments: [(2, 2, LayerFusion.warps), (1, 3, .warps), (1, 3, .warpgroups)], [Precision.tf32, .bf16x3])
    func decomposed(_ tiles: (rows: Int, columns: Int, fusion: LayerFusion), precision: Precision) throws {
        let networks = [
            Perceptron(hiddenLayers: 2, width: 32, outputs: 2), Perceptron(hiddenLayers: 3, width: 64, outputs: 1),
        ]
        let sample = SampleWorkload(
            NetworkGroup(networks, Decomposition(rows: tiles.rows, columns: tiles.columns)),
            programs: [.sample(.none), .sample(.first), .sample(.second)])
        try compare(sample, backend(sample.residualProblem, precision, fusion: tiles.fusion), precision, count: 150)
    }

    @Test("are as far from the reference as layers one by one are", arguments: [Precision.tf32, .bf16x3])
    func unfused(precision: Precision) throws {
        let sample = SampleWorkload(hiddenLayers: 4, width: 64)
        let batches = (0..<3).map { SampleWorkload.points(100, seed: UInt64($0)) }
        let exact = ReferenceBackend(sample.residualProblem).squaredResiduals(
            parameters: sample.parameters.map(Double.init), batches: batches, coefficients: sample.coefficients)
        let errors = try [LayerFusion.warps, .none].map { fusion in
            let backend = try backend(sample.residualProblem, precision, fusion: fusion)
            #expect(backend.summary.contains("fused") == (fusion == .warps))
            var gradient: [Float] = []
            _ = try backend.squaredResiduals(
                parameters: sample.parameters, batches: batches, coefficients: sample.coefficients, gradient: &gradient)
            return relativeError(gradient.map(Double.init), exact.gradient)
        }
        var gradient: [Float] = []
        _ = try CPUBackend(sample.residualProblem, precision: precision).squaredResiduals(
            parameters: sample.parameters, batches: batches, coefficients: sample.coefficients, gradient: &gradient)
        let onCPU = relativeError(gradient.map(Double.init), exact.gradient)
        print("\(precision): fused \(errors[0]), one by one \(errors[1]), on the CPU \(onCPU)")
        #expect(errors[0] < 2 * errors[1] && errors[1] < 2 * errors[0])
        #expect(onCPU < 2 * errors[1] && errors[1] < 2 * onCPU)
    }

    /// On GPUs of less shared memory, as sm_86 and sm_89 have.
    @Test("take tiles of half as many points where shared memory is small, or leave it", arguments: [64, 128])
    func smallCard(width: Int) throws {
        let sample = SampleWorkload(hiddenLayers: 2, width: width)
        let backend = try backend(sample.residualProblem, .tf32, sharedMemory: 101_376)
        #expect(backend.summary.contains("fused") == (width == 64))
        try compare(sample, backend, .tf32, count: 100)
    }

    @Test("agree with the reference where points go through the GPU's memory tile by tile")
    func manyTiles() throws {
        let sample = SampleWorkload(hiddenLayers: 2, width: 32)
        let whole = try backend(sample.residualProblem, .tf32)
        let tiled = try backend(sample.residualProblem, .tf32, memoryLimit: 35 << 20)
        #expect(tiled.summary != whole.summary)
        try compare(sample, tiled, .tf32, count: 2500)
        #expect(tiled.peakDeviceBytes <= 35 << 20)
        let program = PointProgram.channels(.second, outputs: SampleWorkload.outputs)
        let points = SampleWorkload.points(2500)
        #expect(
            try tiled.outputs(of: program, parameters: sample.parameters, at: points)
                == whole.outputs(of: program, parameters: sample.parameters, at: points))
    }

    @Test("tell beforehand what they will take of the GPU at most", arguments: Precision.allCases)
    func deviceMemory(precision: Precision) throws {
        let sample = SampleWorkload(hiddenLayers: 2, width: 32, split: true, Decomposition(rows: 2, columns: 2))
        let told = try CUDABackend.deviceMemory(sample.residualProblem, precision: precision, places: standIns.places)
        #expect(told.name == "stand-in on the host" && told.total == 4 << 30 && told.needed < told.total)
        let backend = try backend(sample.residualProblem, precision)
        let batches = (0..<3).map { SampleWorkload.points(200, seed: UInt64($0)) }
        var gradient: [Float] = []
        _ = try backend.squaredResiduals(
            parameters: sample.parameters, batches: batches, coefficients: sample.coefficients, gradient: &gradient)
        #expect(backend.peakDeviceBytes <= told.needed)
        #expect(backend.parallelism.contains("\((Double(told.needed) / 1e7).rounded() / 100) of its"))
    }

    /// On a GPU all threads run at once: an order of turns that changes bits is a race.
    @Test(
        "give the same bits in whatever order threads and blocks take their turns, and every time",
        arguments: [Precision.tf32, .bf16x3], [LayerFusion.warps, .warpgroups])
    func threadOrder(precision: Precision, fusion: LayerFusion) throws {
        let width = fusion == .warps ? 32 : 64
        let networks = [
            Perceptron(hiddenLayers: 2, width: 64, outputs: 2),
            Perceptron(
                hiddenLayers: 2, width: width, outputs: 1,
                fourier: FourierFeatures(count: width / 2, deviation: 1, seed: 8)),
        ]
        let sample = SampleWorkload(
            NetworkGroup(networks, Decomposition(rows: 1, columns: 2)),
            programs: [.sample(.none), .sample(.first), .sample(.second)])
        let batches = (0..<3).map { SampleWorkload.points(200, seed: UInt64($0)) }
        defer { standIns.setThreadOrder(0) }
        let results = try [Int32]([0, 1, 2, 0]).map { order in
            standIns.setThreadOrder(order)
            var gradient: [Float] = []
            let sums = try backend(sample.residualProblem, precision, fusion: fusion).squaredResiduals(
                parameters: sample.parameters, batches: batches, coefficients: sample.coefficients, gradient: &gradient)
            return (gradient.map(\.bitPattern), sums)
        }
        for other in results.dropFirst() {
            #expect(other.0 == results[0].0)
            #expect(other.1 == results[0].1)
        }
    }

    @Test(
        "agree with the reference for every physics", arguments: EquationCatalog.models.map(\.name),
        [LayerFusion.warps, .warpgroups])
    func physics(_ physics: String, fusion: LayerFusion) throws {
        let inversion = try Inversion(
            physics: physics, width: fusion == .warps ? 32 : 64, collocation: 120, others: 60)
        var gradient: [Float] = []
        let loss = try inversion.objective.evaluate(
            backend(inversion.objective.residualProblem, .bf16x3, fusion: fusion), parameters: inversion.parameters,
            chunk: inversion.chunk,
            gradient: &gradient)
        let parameters = inversion.parameters.map(Double.init)
        // A power -2/3 of a strain rate that passes through zero magnifies roundings, as in CUDABackendTests.
        let factor = physics == "flow-line" ? 20.0 : 1
        let error = relativeError(gradient.map(Double.init), inversion.gradient(parameters))
        print("\(physics): gradient \(error), loss \(abs(loss.total / inversion.loss(parameters) - 1))")
        #expect(error < 5e-5 * factor)
        #expect(abs(loss.total - inversion.loss(parameters)) < 3e-5 * factor * loss.total)
    }
}
