import Compute
import Glibc
import Networks
import Pointwise

/// An NVIDIA GPU: tiles of tens of thousands of points, matrix products by cuBLAS, everything else in kernels that are
/// compiled for the GPU that is found. Any number of points goes through the same memory, tile by tile.
public final class CUDABackend: Backend {
    public let residualProblem: ResidualProblem
    /// Computes Jacobians of samples of points in this one's place.
    private let host: any Backend
    public var threads: Int { host.threads }
    let device: Device
    let plan: TilePlan
    let passes: TilePasses
    let precision: Precision
    private let layers: LayerPlan
    let products: MatrixProducts
    private let sumSlices: Kernel
    private let sumBlocks: Kernel
    /// State of the steps that the GPU makes by itself; nil outside `beginSteps` ... `endSteps`.
    var steps: StepPipeline?
    var lastCoefficients: [[Double]] = []
    let adamKernel: Kernel
    let keepTotals: Kernel
    /// Stream for copies that overlap with computation; made for the first step.
    private var copies: Driver.Handle?
    private(set) var programs: [TilePasses.GPUProgram] = []
    /// Programs of `outputs(of:)`, keyed by their source.
    private var otherPrograms: [String: TilePasses.GPUProgram] = [:]
    private var storage: TileStorage?
    let parameters: CUDAMemory
    /// Partial sums of the gradient, one for each slice: (S, parameters).
    private let slices: CUDAMemory
    let gradient: CUDAMemory
    /// 2 c for each output of each program, where the loss is Σ c r².
    private let twice: CUDAMemory
    /// Sums of squared residuals, per block and total: (blocks, outputs of all programs) and (outputs).
    private let squares: CUDAMemory
    let totals: CUDAMemory
    /// First output of each program, and the number of all.
    let firstOutput: [Int]
    var outputCount: Int { firstOutput.last! }

    /// - Parameters:
    ///   - residualProblem: networks and programs to evaluate.
    ///   - precision: arithmetic of the hidden layers' products.
    ///   - host: the device for Jacobians; nil: the reference, in plain loops.
    ///   - memoryLimit: GPU memory that may be used [bytes]; nil: PINN_CUDA_MEMORY_MIB, or four fifths of the total. Not of what
    ///     is free at the moment: the bits of a run depend on its tiles, and must not depend on other users of the GPU.
    ///   - fusion: how layers are fused where they can be; nil: PINN_CUDA_FUSED.
    ///   - sharedMemory: shared memory of a block [bytes], if less than the GPU's.
    ///   - places: folders in which CUDA's libraries are looked for.
    ///   - cacheFolder: folder of compiled kernels; nil: in the user's cache folder.
    public init(
        _ residualProblem: ResidualProblem, precision: Precision = .fp32, host: (any Backend)? = nil,
        memoryLimit: Int? = nil, fusion: LayerFusion? = nil,
        sharedMemory: Int? = nil, places: LibraryPaths = .ofThisMachine, cacheFolder: String? = nil
    ) throws {
        self.residualProblem = residualProblem
        self.precision = precision
        self.host = host ?? ReferenceBackend(residualProblem)
        device = try Device(places: places, cache: KernelCache(folder: cacheFolder))
        layers = LayerPlan(
            residualProblem, precision, try fusion ?? LayerFusion.wanted(), sharedMemory: sharedMemory, device)
        plan = try TilePlan(
            residualProblem, limit: try memoryLimit ?? CUDABackend.memoryLimit(device),
            multiprocessors: device.multiprocessors, layers: layers)
        products = try MatrixProducts(in: places, device: device)
        let common = try device.module(KernelSources.common)
        adamKernel = try common.kernel("adam")
        keepTotals = try common.kernel("keep_totals")
        sumSlices = try common.kernel("sum_slices")
        sumBlocks = try common.kernel("sum_blocks")
        passes = try TilePasses(
            residualProblem, device: device, products: products, common: common, plan: plan, layerPlan: layers)
        firstOutput = residualProblem.programs.reduce(into: [0]) { $0.append($0.last! + $1.program.outputs.count) }
        let count = residualProblem.networks.parameterCount
        parameters = try device.allocate(4 * count, "parameters")
        slices = try device.allocate(4 * count * plan.slices, "partial sums of the gradient")
        gradient = try device.allocate(4 * count, "the gradient")
        twice = try device.allocate(4 * firstOutput.last!, "coefficients")
        squares = try device.allocate(8 * firstOutput.last! * TilePasses.sumBlocks, "sums of squares")
        totals = try device.allocate(8 * firstOutput.last!, "sums of squares")
        for program in residualProblem.programs { programs.append(try passes.program(program)) }
    }

    /// Whether a GPU, its driver, NVRTC and cuBLAS are found; allocates nothing on the GPU.
    public static var isAvailable: Bool {
        (try? Device.check(in: .ofThisMachine)) != nil && (try? MatrixProducts.check(in: .ofThisMachine)) != nil
    }

    /// Host memory for chunks of `counts` points for each program: batches gathered by zone, two pinned chunks, the
    /// gradient [bytes]. The driver's part is an estimate.
    public static func hostMemory(_ residualProblem: ResidualProblem, counts: [Int]) -> [(name: String, bytes: Int)] {
        let gathered = zip(residualProblem.programs, counts).reduce(0) {
            $0 + ZonedBatch.memory(points: $1.1, columns: $1.0.columnCount, residualProblem.networks.decomposition)
        }
        let pinned = zip(residualProblem.programs, counts).reduce(0) { $0 + 2 * 4 * $1.1 * $1.0.columnCount }
        return [
            ("GPU driver", 256 << 20),
            ("tiles", gathered + pinned + 4 * residualProblem.networks.parameterCount),
        ]
    }

    /// GPU memory that a backend for the problem would need; allocates nothing.
    public static func deviceMemory(
        _ residualProblem: ResidualProblem, precision: Precision = .fp32, places: LibraryPaths = .ofThisMachine
    ) throws -> DeviceMemory {
        let device = try Device(places: places, cache: KernelCache())
        let layers = LayerPlan(residualProblem, precision, try LayerFusion.wanted(), device)
        let plan = try TilePlan(
            residualProblem, limit: try memoryLimit(device), multiprocessors: device.multiprocessors, layers: layers)
        return DeviceMemory(
            name: device.name, needed: plan.bytes(residualProblem, layers), total: device.totalMemory)
    }

    private static func memoryLimit(_ device: Device) throws(CUDAError) -> Int {
        guard let text = getenv("PINN_CUDA_MEMORY_MIB").map({ String(cString: $0) }), !text.isEmpty else {
            return device.totalMemory / 5 * 4
        }
        guard let mebibytes = Int(text), mebibytes >= 256, mebibytes < 1 << 30 else { throw .badMemoryLimit(text) }
        return mebibytes << 20
    }

    /// One GPU, with the memory planned for the largest tile and all sums; two chunks of points come on top.
    public var parallelism: String {
        func gigabytes(_ bytes: Int) -> Double { (Double(bytes) / 1e7).rounded() / 100 }
        return
            "1 GPU, tiles of at most \(gigabytes(plan.bytes(residualProblem, layers))) of its \(gigabytes(device.totalMemory)) GB"
    }

    public var summary: String {
        "CUDA, \(device.name), \(precision.rawValue)\(fusion), cuBLAS \(products.version), NVRTC \(device.compiler.version.major).\(device.compiler.version.minor), tiles of \(plan.rows) rows in \(plan.slices) slices"
    }

    private var fusion: String {
        let shapes = layers.fused.compactMap(\.self)
        guard !shapes.isEmpty else { return "" }
        return (shapes.count == layers.fused.count ? " in fused layers" : ", some layers fused")
            + (shapes.contains(where: \.isOfWarpgroups) ? " of warpgroups" : "")
    }

    /// Peak of allocated GPU memory [bytes].
    public var peakDeviceBytes: Int { device.peakBytes }

    public func squaredResiduals(
        parameters values: [Float], batches: [PointBatch], coefficients: [[Double]], gradient result: inout [Float]
    ) throws -> ResidualSums {
        precondition(batches.count == programs.count && coefficients.count == programs.count)
        precondition(values.count == residualProblem.networks.parameterCount)
        try device.makeCurrent()
        try device.copy(values, to: parameters.address)
        try takeCoefficients(coefficients)
        try clearSums()
        let zoned = batches.map { ZonedBatch($0, residualProblem.networks.decomposition) }
        let storage = try storage(for: zip(programs, batches).map { ($0, $1.count) })
        for (number, program) in programs.enumerated() {
            try forEachTile(of: zoned[number], program, storage) { tile, _ in
                try passes.forward(program, tile, storage, parameters: parameters)
                try adjoint(number, tile, storage)
            }
        }
        try end()
        result = try device.read(gradient.address, count: values.count, zero: 0)
        let sums = try device.read(totals.address, count: outputCount, zero: 0.0)
        return programs.indices.map { Array(sums[firstOutput[$0]..<firstOutput[$0 + 1]]) }
    }

    public func outputs(of program: PointProgram, parameters values: [Float], at points: PointBatch) throws -> [[Float]]
    {
        try device.makeCurrent()
        let text = programText(
            program.program, FieldLayout(program.program, residualProblem.networks), residualProblem.networks)
        if otherPrograms[text] == nil { otherPrograms[text] = try passes.program(program) }
        let onGPU = otherPrograms[text]!
        try device.copy(values, to: parameters.address)
        let batch = ZonedBatch(points, residualProblem.networks.decomposition)
        let storage = try storage(for: [(onGPU, points.count)])
        let outputs = program.program.outputs.count
        let most = min(points.count, plan.points(channels: onGPU.channels))
        let results = try device.allocate(4 * outputs * max(most, 1), "outputs")
        let found = UnsafeMutablePointer<Float>.allocate(capacity: max(outputs * points.count, 1))
        defer { found.deallocate() }
        try forEachTile(of: batch, onGPU, storage) { tile, points in
            try passes.forward(onGPU, tile, storage, parameters: parameters)
            try passes.values(onGPU, tile, storage, into: results.address, stride: points.count)
            let values = try device.read(results.address, count: outputs * points.count, zero: Float(0))
            values.withUnsafeBufferPointer { values in
                for output in 0..<outputs {
                    batch.scatter(
                        values.baseAddress! + output * points.count, of: points,
                        into: found + output * batch.batch.count)
                }
            }
        }
        return (0..<outputs).map { Array(UnsafeBufferPointer(start: found + $0 * points.count, count: points.count)) }
    }

    /// Of a sample of points, a small part of a chunk, which the cores of the host compute.
    public func jacobian(
        parameters: [Float], batches: [PointBatch], coefficients: [[Double]]
    ) throws -> any Jacobian {
        try host.jacobian(parameters: parameters, batches: batches, coefficients: coefficients)
    }

    // MARK: Parts of an evaluation

    func takeCoefficients(_ coefficients: [[Double]]) throws(CUDAError) {
        try device.copy(coefficients.joined().map { Float(2 * $0) }, to: twice.address)
    }

    func copyStream() throws(CUDAError) -> Driver.Handle? {
        if copies == nil { copies = try device.makeStream() }
        return copies
    }

    func clearSums() throws(CUDAError) {
        try device.clear(slices.address, words: plan.slices * residualProblem.networks.parameterCount)
        try device.clear(squares.address, words: 2 * outputCount * TilePasses.sumBlocks)
    }

    /// Adds a tile's contribution to all sums, after `forward` on the same tile.
    func adjoint(_ number: Int, _ tile: TilePasses.Tile, _ storage: TileStorage) throws(CUDAError) {
        try passes.adjoint(
            programs[number], tile, storage, parameters: parameters, sums: slices,
            twice: twice.float(firstOutput[number]), squares: squares.address + UInt64(8 * firstOutput[number]),
            squareStride: outputCount)
    }

    /// Reduces the sums of slices and blocks to the gradient and the sums of squares.
    func end() throws(CUDAError) {
        let count = residualProblem.networks.parameterCount
        try device.launch(
            sumSlices, over: count,
            [.address(slices.address), .int(plan.slices), .long(count), .address(gradient.address)])
        try device.launch(
            sumBlocks, over: outputCount,
            [.address(squares.address), .int(TilePasses.sumBlocks), .int(outputCount), .address(totals.address)])
    }

    /// Memory for the largest tile of the given sets; the present allocation where it suffices.
    func storage(for sets: [(program: TilePasses.GPUProgram, count: Int)]) throws(CUDAError) -> TileStorage {
        let unit = 6 * plan.slices
        let rows = sets.reduce(unit) { most, set in
            let points = min(plan.padded(set.count), plan.points(channels: set.program.channels))
            return max(most, (points * set.program.channels + unit - 1) / unit * unit)
        }
        let columns = max(
            sets.map(\.program.columns).max() ?? 2, residualProblem.programs.map(\.columnCount).max() ?? 2)
        if let storage, storage.rows >= rows, storage.columnCount >= columns { return storage }
        // Freed first: the GPU may not hold both.
        storage = nil
        steps?.forgetGraphs()
        let made = try TileStorage(residualProblem, rows: rows, columnCount: columns, layers: layers, device: device)
        passes.lend(made)
        storage = made
        return made
    }

    /// Copies the points to the GPU tile by tile and calls `body` for each; all points of a tile lie in one zone.
    private func forEachTile(
        of batch: ZonedBatch, _ program: TilePasses.GPUProgram, _ storage: TileStorage,
        _ body: (TilePasses.Tile, Range<Int>) throws -> Void
    ) throws {
        let most = plan.points(channels: program.channels)
        for (zone, points) in batch.zones.enumerated() {
            for start in stride(from: points.lowerBound, to: points.upperBound, by: most) {
                let here = start..<min(start + most, points.upperBound)
                for (number, column) in batch.batch.columns.prefix(program.columns).enumerated() {
                    try column.withUnsafeBufferPointer {
                        try device.copy(
                            UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: $0[here])),
                            to: storage.columns.float(number * here.count))
                    }
                }
                let tile = TilePasses.Tile(
                    zone: zone, count: here.count, columns: storage.columns.address, stride: here.count)
                try body(tile, here)
            }
        }
    }
}
