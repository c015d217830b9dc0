import Networks

/// Forward and adjoint pass of a tile through one network, layer by layer: cuBLAS for the products over all channels, and
/// one kernel over the stack for everything between two products.
final class NetworkPasses: NetworkEvaluator {
    private let network: Perceptron
    private let channels: Int
    private let device: Device
    private let products: MatrixProducts
    private let layers: LayerProducts
    private let slopes: (x: Float, y: Float)
    private let slices: Int
    /// Distance between the sums of two slices [floats].
    private let sliceStride: Int
    private let fourier: FourierFrequencies?
    private let kernels: NetworkKernels

    init(
        _ network: Perceptron, kernels: NetworkKernels, device: Device, products: MatrixProducts,
        layers: LayerProducts, slopes: (x: Double, y: Double), slices: Int, parameterCount: Int
    ) throws(CUDAError) {
        self.network = network
        self.kernels = kernels
        channels = kernels.channels
        self.device = device
        self.products = products
        self.layers = layers
        self.slopes = (Float(slopes.x), Float(slopes.y))
        self.slices = slices
        sliceStride = parameterCount
        fourier = try FourierFrequencies(network, kernel: kernels.encode, device)
    }

    private typealias Matrix = MatrixProducts.Matrix

    func forward(_ stacks: NetworkStacks, _ tile: TileStorage, parameters: UInt64, points: Int) throws(CUDAError) {
        let (width, rows) = (network.width, channels * points)
        func parameter(_ place: Int) -> UInt64 { parameters + UInt64(4 * place) }
        func z(_ layer: Int) -> UInt64 { stacks.z.float(layer * tile.rows * width) }
        if let fourier {
            try fourier.encode(stacks, slopes: slopes, points: points)
        } else {
            try device.launch(
                kernels.enter, over: points * width,
                [
                    .address(stacks.x.address), .address(stacks.y.address), .address(parameter(0)), .float(slopes.x),
                    .float(slopes.y), .address(z(0)), .int(points), .int(width),
                ])
        }
        for layer in 0..<network.hiddenLayers {
            if layer > 0 || fourier != nil {
                let inputs = network.inputs(of: layer)
                try layers.multiply(
                    layer > 0 ? tile.a.address : stacks.features.address, parameter(network.weights(of: layer)),
                    into: z(layer), m: rows, n: width, k: inputs)
            }
            try device.launch(
                kernels.activate, over: points * width,
                [
                    .address(z(layer)), .address(parameter(network.biases(of: layer))), .address(tile.a.address),
                    .int(points), .int(width),
                ])
        }
        let last = network.hiddenLayers
        try products.multiply(
            Matrix(address: tile.a.address, stride: width),
            Matrix(address: parameter(network.weights(of: last)), stride: network.outputs),
            into: Matrix(address: stacks.outputs, stride: network.outputs), m: rows, n: network.outputs, k: width,
            precision: .fp32)
        try device.launch(
            kernels.addBias, over: points * network.outputs,
            [
                .address(stacks.outputs), .address(parameter(network.biases(of: last))), .int(points),
                .int(network.outputs),
            ])
    }

    func adjoint(_ stacks: NetworkStacks, _ tile: TileStorage, parameters: UInt64, sums: UInt64, points: Int)
        throws(CUDAError)
    {
        let (width, rows) = (network.width, channels * points)
        func parameter(_ place: Int) -> UInt64 { parameters + UInt64(4 * place) }
        func sum(_ place: Int) -> UInt64 { sums + UInt64(4 * place) }
        func z(_ layer: Int) -> UInt64 { stacks.z.float(layer * tile.rows * width) }
        func overSlices(_ kernel: Kernel, columns: Int, _ arguments: [Kernel.Argument]) throws(CUDAError) {
            try device.launch(
                kernel, grid: ((columns + 31) / 32, slices), block: (32, NetworkKernels.sliceThreads), arguments)
        }
        func reactivate(_ layer: Int) throws(CUDAError) {
            try device.launch(
                kernels.reactivate, over: points * width,
                [.address(z(layer)), .address(tile.a.address), .int(points), .int(width)])
        }
        var (bar, below) = (tile.bar.address, tile.barBelow.address)
        let last = network.hiddenLayers
        try overSlices(
            kernels.biasAdjoint, columns: network.outputs,
            [
                .address(stacks.outputBars), .address(sum(network.biases(of: last))), .long(sliceStride), .int(points),
                .int(network.outputs),
            ])
        // Another network may have overwritten `a`.
        try reactivate(last - 1)
        let outputBars = Matrix(address: stacks.outputBars, stride: network.outputs)
        try products.addProducts(
            transposed: Matrix(address: tile.a.address, stride: width), outputBars,
            to: Matrix(address: sum(network.weights(of: last)), stride: network.outputs), sumStride: sliceStride,
            slices: slices, m: width, n: network.outputs, k: rows / slices, precision: .fp32)
        try products.multiply(
            outputBars, Matrix(address: parameter(network.weights(of: last)), stride: network.outputs),
            bTransposed: true, into: Matrix(address: bar, stride: width), m: rows, n: width, k: network.outputs,
            precision: .fp32)
        for layer in (0..<network.hiddenLayers).reversed() {
            try overSlices(
                kernels.activateAdjoint, columns: width,
                [
                    .address(z(layer)), .address(bar), .address(sum(network.biases(of: layer))), .long(sliceStride),
                    .int(points), .int(width),
                ])
            guard layer > 0 || fourier != nil else { break }
            if layer > 0 { try reactivate(layer - 1) }
            let inputs = network.inputs(of: layer)
            try layers.addProducts(
                transposed: layer > 0 ? tile.a.address : stacks.features.address, bar,
                to: sum(network.weights(of: layer)), sumStride: sliceStride, slices: slices, m: inputs, n: width,
                k: rows / slices)
            guard layer > 0 else { return }
            try layers.multiply(
                bar, parameter(network.weights(of: layer)), bTransposed: true, into: below, m: rows, n: width, k: width)
            swap(&bar, &below)
        }
        try overSlices(
            kernels.enterAdjoint, columns: width,
            [
                .address(stacks.x.address), .address(stacks.y.address), .address(bar), .float(slopes.x),
                .float(slopes.y), .address(sum(0)), .long(sliceStride), .int(points), .int(width),
            ])
    }
}

/// The kernels of Kernels/network.cu for a channel count.
final class NetworkKernels {
    /// `slice_threads` of the source.
    static let sliceThreads = 8

    let channels: Int
    let enter: Kernel
    let encode: Kernel
    let activate: Kernel
    let reactivate: Kernel
    let addBias: Kernel
    let activateAdjoint: Kernel
    let enterAdjoint: Kernel
    let biasAdjoint: Kernel
    let blend: Kernel
    let blendAdjoint: Kernel

    init(channels: Int, _ device: Device) throws(CUDAError) {
        self.channels = channels
        let module = try device.module(KernelSources.network, options: [KernelSources.option(channels: channels)])
        enter = try module.kernel("enter")
        encode = try module.kernel("encode")
        activate = try module.kernel("activate")
        reactivate = try module.kernel("reactivate")
        addBias = try module.kernel("add_bias")
        activateAdjoint = try module.kernel("activate_adjoint")
        enterAdjoint = try module.kernel("enter_adjoint")
        biasAdjoint = try module.kernel("bias_adjoint")
        blend = try module.kernel("blend")
        blendAdjoint = try module.kernel("blend_adjoint")
    }
}
