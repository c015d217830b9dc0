import Networks

/// Forward and adjoint pass of a tile through one network, all layers in one kernel each (Kernels/fused.cu).
final class FusedPasses: NetworkEvaluator {
    private let network: Perceptron
    private let shape: FusedShape
    private let channels: Int
    private let kernels: FusedKernels
    private let scratch: FusedScratch
    private let device: Device
    private let slopes: (x: Float, y: Float)
    private let fourier: FourierFrequencies?

    /// - Parameter encode: the kernel that computes Fourier features.
    init(
        _ shape: FusedShape, kernels: FusedKernels, encode: Kernel, scratch: FusedScratch, device: Device,
        slopes: (x: Double, y: Double)
    ) throws(CUDAError) {
        self.shape = shape
        network = shape.network
        channels = kernels.channels
        self.kernels = kernels
        self.scratch = scratch
        self.device = device
        self.slopes = (Float(slopes.x), Float(slopes.y))
        fourier = try FourierFrequencies(network, kernel: encode, device)
    }

    func forward(_ stacks: NetworkStacks, _ tile: TileStorage, parameters: UInt64, points: Int) throws(CUDAError) {
        try fourier?.encode(stacks, slopes: slopes, points: points)
        try pack(parameters, isForward: true)
        try device.launch(
            kernels.forward, grid: (blocks(points), 1), block: (shape.threads, 1), shared: shape.forwardBytes,
            entry(stacks, parameters) + [
                .address(stacks.z.address), .long(tile.rows * network.width), .address(stacks.outputs), .int(points),
                .int(network.hiddenLayers), .int(network.outputs),
            ])
    }

    func adjoint(_ stacks: NetworkStacks, _ tile: TileStorage, parameters: UInt64, sums: UInt64, points: Int)
        throws(CUDAError)
    {
        // Another network may have overwritten the packed factors.
        try pack(parameters, isForward: false)
        let blocks = blocks(points)
        try device.launch(
            kernels.adjoint, grid: (blocks, 1), block: (shape.threads, 1), shared: shape.adjointBytes,
            entry(stacks, parameters) + [
                .address(stacks.z.address), .long(tile.rows * network.width), .address(stacks.outputBars),
                .address(scratch.sums.address), .long(shape.sumFloats), .int(points), .int(network.hiddenLayers),
                .int(network.outputs),
            ])
        try device.launch(
            kernels.gather, over: network.parameterCount,
            [
                .address(scratch.sums.address), .int(blocks), .long(shape.sumFloats), .int(network.hiddenLayers),
                .int(network.outputs), .int(fourier == nil ? 0 : 1), .address(sums),
            ])
    }

    /// No block is without a tile, since each has to set its sums.
    private func blocks(_ points: Int) -> Int {
        let tile = shape.tilePoints(channels: channels)
        return min(scratch.blocks, (points + tile - 1) / tile)
    }

    private func entry(_ stacks: NetworkStacks, _ parameters: UInt64) -> [Kernel.Argument] {
        [
            .address(stacks.x.address), .address(stacks.y.address),
            .address(fourier == nil ? 0 : stacks.features.address), .float(slopes.x), .float(slopes.y),
            .address(parameters), .address(scratch.packed.address),
        ]
    }

    private func pack(_ parameters: UInt64, isForward: Bool) throws(CUDAError) {
        guard shape.packedWords > 0 else { return }
        try device.launch(
            kernels.pack, over: shape.packedWords,
            [
                .address(parameters), .int(network.hiddenLayers), .int(fourier == nil ? 0 : 1),
                .int(isForward ? 1 : 0),
                .address(scratch.packed.address),
            ])
    }
}

/// Memory that all fused networks share: packed weights of one network, and gradient sums for each block.
final class FusedScratch {
    let packed: CUDAMemory
    let sums: CUDAMemory
    let blocks: Int

    init(_ layers: LayerPlan, _ device: Device) throws(CUDAError) {
        packed = try device.allocate(4 * layers.packedWords, "packed weights of fused layers")
        sums = try device.allocate(4 * layers.sumFloats, "sums of fused layers")
        blocks = layers.blocks
    }
}

/// The kernels of Kernels/fused.cu for a channel count, a width and a precision.
final class FusedKernels {
    let channels: Int
    let pack: Kernel
    let forward: Kernel
    let adjoint: Kernel
    let gather: Kernel

    init(channels: Int, _ shape: FusedShape, _ device: Device) throws(CUDAError) {
        self.channels = channels
        let module = try device.module(
            KernelSources.fused(shape), options: KernelSources.options(channels: channels, shape))
        pack = try module.kernel("pack")
        forward = try module.kernel("fused_forward")
        adjoint = try module.kernel("fused_adjoint")
        gather = try module.kernel("gather")
        try device.allowSharedMemory(shape.forwardBytes, for: forward)
        try device.allowSharedMemory(shape.adjointBytes, for: adjoint)
    }
}
