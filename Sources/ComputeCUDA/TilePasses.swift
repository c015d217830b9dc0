import Compute
import Networks

/// Forward and adjoint pass of a tile: all networks that a program reads, of all subdomains that cover it, then the program.
final class TilePasses {
    private let residualProblem: ResidualProblem
    private let device: Device
    private let plan: TilePlan
    private let locate: Kernel
    /// Keyed by channel count, and by channel count and network; made when a program first needs them.
    private var kernels: [Int: NetworkKernels] = [:]
    private var passes: [[Int]: any NetworkEvaluator] = [:]
    private let products: MatrixProducts
    private let layers: LayerProducts
    private let layerPlan: LayerPlan
    private let fusedScratch: FusedScratch

    /// A program's kernels and shapes.
    struct GPUProgram {
        let layout: FieldLayout
        /// Largest channel count of its networks.
        let channels: Int
        /// Number of columns that it reads, from x on.
        let columns: Int
        let values: Kernel
        let residuals: Kernel
    }

    /// Points of one zone on the GPU: `columns` is the address of the first point's x, columns are `stride` floats apart.
    struct Tile {
        let zone: Int
        let count: Int
        let columns: UInt64
        let stride: Int
    }

    /// Largest number of blocks of the kernel that sums squares, each with its own sums; fewer where there are fewer points.
    static let sumBlocks = 256
    private static let programThreads = 128

    init(
        _ residualProblem: ResidualProblem, device: Device, products: MatrixProducts, common: Module, plan: TilePlan,
        layerPlan: LayerPlan
    ) throws(CUDAError) {
        self.residualProblem = residualProblem
        self.device = device
        self.plan = plan
        self.products = products
        self.layerPlan = layerPlan
        layers = try LayerProducts(products, layerPlan.precision, device, common: common)
        fusedScratch = try FusedScratch(layerPlan, device)
        locate = try common.kernel("locate")
    }

    /// Lends the products the scratch memory of a tile.
    func lend(_ storage: TileStorage) { layers.scratch = storage.scratch }

    func program(_ program: PointProgram) throws(CUDAError) -> GPUProgram {
        let layout = FieldLayout(program.program, residualProblem.networks)
        let module = try device.module(programText(program.program, layout, residualProblem.networks))
        for part in layout.parts { try prepare(part) }
        return GPUProgram(
            layout: layout, channels: program.derivatives.channelCount, columns: program.columnCount,
            values: try module.kernel("values"), residuals: try module.kernel("residuals"))
    }

    private func prepare(_ part: FieldLayout.Part) throws(CUDAError) {
        if kernels[part.channels] == nil {
            kernels[part.channels] = try NetworkKernels(channels: part.channels, device)
        }
        guard passes[[part.channels, part.network]] == nil else { return }
        passes[[part.channels, part.network]] = try makeEvaluator(part)
    }

    private func makeEvaluator(_ part: FieldLayout.Part) throws(CUDAError) -> any NetworkEvaluator {
        if let shape = layerPlan.fused[part.network] {
            return try FusedPasses(
                shape, kernels: FusedKernels(channels: part.channels, shape, device),
                encode: kernels[part.channels]!.encode, scratch: fusedScratch, device: device,
                slopes: residualProblem.networkSlopes)
        }
        return try NetworkPasses(
            residualProblem.networks.networks[part.network], kernels: kernels[part.channels]!, device: device,
            products: products, layers: layers, slopes: residualProblem.networkSlopes, slices: plan.slices,
            parameterCount: residualProblem.networks.parameterCount)
    }

    /// Computes the channels of all outputs that the program reads.
    func forward(_ program: GPUProgram, _ tile: Tile, _ storage: TileStorage, parameters: CUDAMemory)
        throws(CUDAError)
    {
        let covering = residualProblem.networks.decomposition.subdomains(covering: tile.zone)
        let points = plan.padded(tile.count)
        for (place, subdomain) in covering.enumerated() {
            try enter(tile, subdomain, storage.subdomains[place], storage, isAlone: covering.count == 1)
            for part in program.layout.parts {
                let stacks = stacks(part, program, storage.subdomains[place], storage, isAlone: covering.count == 1)
                try passes[[part.channels, part.network]]!.forward(
                    stacks, storage,
                    parameters: parameters.float(residualProblem.networks.parameters(of: part.network, in: subdomain)),
                    points: points)
                guard covering.count > 1 else { continue }
                try device.launch(
                    kernels[part.channels]!.blend, over: points * part.outputs,
                    [
                        .address(storage.subdomains[place].window.address), .long(storage.rows),
                        .address(stacks.outputs),
                        .address(storage.fields.float(offset(part, program, storage))), .int(place == 0 ? 1 : 0),
                        .int(points), .int(part.outputs),
                    ])
            }
        }
    }

    /// Adds to the blocks' sums of squared residuals and to the slices' sums of the gradient of Σ c r².
    ///
    /// - Parameters:
    ///   - twice: address of 2 c for each output.
    ///   - squares: address of the first block's sums; blocks are `squareStride` doubles apart.
    func adjoint(
        _ program: GPUProgram, _ tile: Tile, _ storage: TileStorage, parameters: CUDAMemory, sums: CUDAMemory,
        twice: UInt64, squares: UInt64, squareStride: Int
    ) throws(CUDAError) {
        let covering = residualProblem.networks.decomposition.subdomains(covering: tile.zone)
        let points = plan.padded(tile.count)
        let (fields, bars) =
            covering.count == 1
            ? (storage.subdomains[0].fields, storage.subdomains[0].bars) : (storage.fields, storage.bars)
        try device.launch(
            program.residuals,
            grid: (min(TilePasses.sumBlocks, (points + TilePasses.programThreads - 1) / TilePasses.programThreads), 1),
            block: (TilePasses.programThreads, 1),
            [
                .address(fields.address), .address(bars.address), .long(storage.rows / program.channels),
                .address(tile.columns), .long(tile.stride), .int(tile.count), .int(points), .address(twice),
                .address(squares), .int(squareStride),
            ])
        for (place, subdomain) in covering.enumerated() {
            for part in program.layout.parts {
                let stacks = stacks(part, program, storage.subdomains[place], storage, isAlone: covering.count == 1)
                if covering.count > 1 {
                    try device.launch(
                        kernels[part.channels]!.blendAdjoint, over: points * part.outputs,
                        [
                            .address(storage.subdomains[place].window.address), .long(storage.rows),
                            .address(storage.bars.float(offset(part, program, storage))), .address(stacks.outputBars),
                            .int(points), .int(part.outputs),
                        ])
                }
                let base = residualProblem.networks.parameters(of: part.network, in: subdomain)
                try passes[[part.channels, part.network]]!.adjoint(
                    stacks, storage, parameters: parameters.float(base), sums: sums.float(base), points: points)
            }
        }
    }

    /// Writes the program's outputs at a tile's points, (outputs, stride), to an address.
    func values(_ program: GPUProgram, _ tile: Tile, _ storage: TileStorage, into results: UInt64, stride: Int)
        throws(CUDAError)
    {
        let isAlone = residualProblem.networks.decomposition.subdomains(covering: tile.zone).count == 1
        let fields = isAlone ? storage.subdomains[0].fields : storage.fields
        try device.launch(
            program.values, over: tile.count,
            [
                .address(fields.address), .long(storage.rows / program.channels), .address(tile.columns),
                .long(tile.stride), .int(tile.count), .address(results), .long(stride),
            ])
    }

    private func offset(_ part: FieldLayout.Part, _ program: GPUProgram, _ storage: TileStorage) -> Int {
        storage.rows / program.channels * part.offset
    }

    private func stacks(
        _ part: FieldLayout.Part, _ program: GPUProgram, _ own: TileStorage.Subdomain, _ storage: TileStorage,
        isAlone: Bool
    ) -> NetworkStacks {
        let offset = offset(part, program, storage)
        return NetworkStacks(
            z: own.z[part.network], features: own.features[part.network], x: own.x, y: own.y,
            outputs: own.fields.float(offset), outputBars: own.bars.float(offset))
    }

    /// Computes coordinates for a subdomain's networks, and the channels of its window.
    private func enter(
        _ tile: Tile, _ subdomain: Int, _ own: TileStorage.Subdomain, _ storage: TileStorage, isAlone: Bool
    ) throws(CUDAError) {
        let decomposition = residualProblem.networks.decomposition
        let center = decomposition.center(of: subdomain)
        let slopes = decomposition.slopes
        let ramps = decomposition.ramps(subdomain, zone: tile.zone)
        func along(_ ramp: Decomposition.Ramp?) -> [Kernel.Argument] {
            [
                .int(ramp.map { $0.rises ? 1 : 2 } ?? 0), .double(ramp?.border ?? 0),
                .double(ramp?.overlap ?? 1),
            ]
        }
        let points = plan.padded(tile.count)
        try device.launch(
            locate, over: points,
            [
                .address(tile.columns), .address(tile.columns + UInt64(4 * tile.stride)), .int(tile.count),
                .int(points), .double(center.x), .double(center.y), .double(slopes.x), .double(slopes.y),
                .int(isAlone ? 0 : 1),
            ] + along(ramps.x) + along(ramps.y) + [
                .double(residualProblem.inputSlopes.x), .double(residualProblem.inputSlopes.y), .address(own.x.address),
                .address(own.y.address), .address(own.window.address), .long(storage.rows),
            ])
    }
}
