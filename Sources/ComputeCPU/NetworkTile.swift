import CKernels
import Compute
import Networks
import Pointwise

/// One thread's memory for a tile in one network, and the passes over it: the tile goes forward through all layers
/// and back while its channels stay in the core's cache.
///
/// Shapes: P points of a tile, K channels, R = K·P rows, W width, O outputs. Stacks are point-major (P, K, W):
/// channel-major strides are multiples of 4 KB and alias in the first-level cache (measured two to three times slower).
final class NetworkTile {
    /// The padded network: W is its width.
    private let network: Perceptron
    private let kernels: tile_kernels
    private let slopes: (x: Float, y: Float)
    private let rows: Int
    private let stride: Int
    /// Channels of the Fourier features, where the network has them, (R, W).
    private let features: UnsafeMutablePointer<Float>
    /// Pre-activations of every hidden layer, (L, R, W); tanh stands in their value channel after the forward pass.
    private let z: UnsafeMutablePointer<Float>
    /// Activated channels of one layer, (R, W).
    private let a: UnsafeMutablePointer<Float>
    /// Adjoints of one layer and of the one below, (R, W).
    private var bar: UnsafeMutablePointer<Float>
    private var barBelow: UnsafeMutablePointer<Float>
    /// The network's outputs and their adjoints, (R, O).
    let outputs: UnsafeMutablePointer<Float>
    let outputBars: UnsafeMutablePointer<Float>

    /// - Parameter network: the padded network; its weights are given to every pass.
    init(_ network: Perceptron, _ kernels: TileKernels, slopes: (x: Double, y: Double), rows: Int) {
        self.network = network
        self.kernels = kernels.table.pointee
        self.slopes = (Float(slopes.x), Float(slopes.y))
        stride = tile_stride(network.width)
        // The products work on whole register blocks.
        let block = self.kernels.block_rows
        self.rows = (rows + block - 1) / block * block
        let stack = self.rows * stride
        features = allocateFloats(network.fourier == nil ? 0 : stack)
        z = allocateFloats(stack * network.hiddenLayers)
        a = allocateFloats(stack)
        bar = allocateFloats(stack)
        barBelow = allocateFloats(stack)
        outputs = allocateFloats(rows * network.outputs)
        outputBars = allocateFloats(rows * network.outputs)
    }

    deinit {
        for buffer in [features, z, a, bar, barBelow, outputs, outputBars] { buffer.deallocate() }
    }

    private func z(_ layer: Int) -> UnsafeMutablePointer<Float> { z + layer * rows * stride }

    /// Channels of the outputs at points, K = `channels`.
    func forward(
        _ packed: PackedNetwork, _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, points: Int, channels: Int
    ) {
        let parameters = packed.parameters
        let width = network.width
        if packed.isEncoded {
            kernels.encode(x, y, points, channels, width, stride, packed.fourierTable, slopes.x, slopes.y, features)
        } else {
            kernels.enter(x, y, points, channels, width, stride, parameters, slopes.x, slopes.y, z)
        }
        for layer in 0..<network.hiddenLayers {
            if layer > 0 || packed.isEncoded {
                let below = layer > 0 ? a : features
                packed.precision.round(below, count: channels * points * stride)
                kernels.multiply(below, packed.forwardPanels(layer), channels * points, width, stride, z(layer))
            }
            kernels.activate(z(layer), parameters + network.biases(of: layer), a, points, channels, width, stride)
        }
        let last = network.hiddenLayers
        BLAS.multiply(
            a, stride: stride, parameters + network.weights(of: last), into: outputs, m: channels * points,
            n: network.outputs, k: width)
        let bias = parameters + network.biases(of: last)
        for point in 0..<points {
            let here = outputs + point * channels * network.outputs
            for output in 0..<network.outputs { here[output] += bias[output] }
        }
    }

    /// Adds to the gradient, in the layout of the padded parameters, from `outputBars` at the points of the last `forward`.
    ///
    /// - Parameter fresh: the gradient is set, whatever it held, which saves clearing it before.
    func adjoint(
        _ packed: PackedNetwork, _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, points: Int, channels: Int,
        fresh: Bool, gradient: UnsafeMutablePointer<Float>
    ) {
        let parameters = packed.parameters
        let width = network.width
        let last = network.hiddenLayers
        if fresh {
            if !packed.isEncoded { gradient.update(repeating: 0, count: network.inputs * width) }
            for layer in 0...last {
                (gradient + network.biases(of: layer)).update(repeating: 0, count: network.outputs(of: layer))
            }
        }
        let biasBar = gradient + network.biases(of: last)
        for point in 0..<points {
            let here = outputBars + point * channels * network.outputs
            for output in 0..<network.outputs { biasBar[output] += here[output] }
        }
        // The forward pass left the last hidden layer's activations in a.
        BLAS.addProduct(
            transposed: a, stride: stride, outputBars, to: gradient + network.weights(of: last), fresh: fresh,
            m: width, n: network.outputs, k: channels * points)
        BLAS.multiply(
            outputBars, transposed: parameters + network.weights(of: last), into: bar, stride: stride,
            m: channels * points, n: width, k: network.outputs)
        for layer in (0..<network.hiddenLayers).reversed() {
            kernels.activate_adjoint(
                z(layer), bar, gradient + network.biases(of: layer), points, channels, width, stride)
            guard layer > 0 else { break }
            kernels.reactivate(z(layer - 1), a, points, channels, width, stride)
            packed.precision.round(a, count: channels * points * stride)
            packed.precision.round(bar, count: channels * points * stride)
            kernels.add_transposed(
                a, bar, channels * points, width, stride, fresh ? 1 : 0, gradient + network.weights(of: layer))
            kernels.multiply(bar, packed.backwardPanels(layer), channels * points, width, stride, barBelow)
            swap(&bar, &barBelow)
        }
        if packed.isEncoded {
            packed.precision.round(bar, count: channels * points * stride)
            kernels.add_transposed(features, bar, channels * points, width, stride, fresh ? 1 : 0, gradient)
        } else {
            kernels.enter_adjoint(x, y, points, channels, width, stride, bar, slopes.x, slopes.y, gradient)
        }
    }

    // MARK: factors of the Jacobian

    /// Keeps the inputs of every layer at the points of the last `forward`.
    func keepInputs(
        _ packed: PackedNetwork, _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, in factors: NetworkFactors
    ) {
        let (points, channels) = (factors.points, factors.channels)
        factors.x.update(from: x, count: points)
        factors.y.update(from: y, count: points)
        if packed.isEncoded {
            keep(features, network.width, in: factors.inputs(of: 0), points * channels)
        } else {
            keepCoordinates(x, y, in: factors)
        }
        for layer in 1...network.hiddenLayers {
            kernels.reactivate(z(layer - 1), a, points, channels, network.width, stride)
            keep(a, network.width, in: factors.inputs(of: layer), points * channels)
        }
    }

    /// Keeps the adjoints of every layer, from `outputBars` at the points of the last `forward`.
    ///
    /// - Parameter output: of the program, whose adjoints they are.
    func keepAdjoints(_ packed: PackedNetwork, of output: Int, in factors: NetworkFactors) {
        let (points, channels, width) = (factors.points, factors.channels, network.width)
        let last = network.hiddenLayers
        factors.adjoints(last, of: output).update(from: outputBars, count: points * channels * network.outputs)
        BLAS.multiply(
            outputBars, transposed: packed.parameters + network.weights(of: last), into: bar, stride: stride,
            m: channels * points, n: width, k: network.outputs)
        for layer in (0..<last).reversed() {
            // The biases' adjoints go where the next product overwrites them.
            kernels.activate_adjoint(z(layer), bar, barBelow, points, channels, width, stride)
            keep(bar, width, in: factors.adjoints(layer, of: output), points * channels)
            guard layer > 0 else { break }
            kernels.multiply(bar, packed.backwardPanels(layer), channels * points, width, stride, barBelow)
            swap(&bar, &barBelow)
        }
    }

    private func keep(
        _ stack: UnsafePointer<Float>, _ width: Int, in dense: UnsafeMutablePointer<Float>, _ rows: Int
    ) {
        for row in 0..<rows { (dense + row * width).update(from: stack + row * stride, count: width) }
    }

    /// Channels of x and y themselves.
    private func keepCoordinates(
        _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, in factors: NetworkFactors
    ) {
        let entrance = factors.inputs(of: 0)
        for point in 0..<factors.points {
            let here = entrance + point * factors.channels * 2
            (here[0], here[1]) = (x[point], y[point])
            guard factors.channels > 1 else { continue }
            (here[2], here[3], here[4], here[5]) = (slopes.x, 0, 0, slopes.y)
        }
    }
}
