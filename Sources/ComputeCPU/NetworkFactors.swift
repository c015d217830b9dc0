import CKernels
import Networks

/// A network's part of the Jacobian at a tile of points, as factors: the row of output j at point p is, for the weights of layer l,
///
///     Σ_c inputs(l)[p, c] ⊗ adjoints(l, of: j)[p, c]
///
/// over the K channels c, and for its biases the adjoint of the value channel. A product with a vector or of two rows needs no
/// more, and a row of a 4 x 32 network takes 0.8 KB a channel in place of 13 KB.
///
/// Shapes: P points, R = K·P rows rounded up to the kernels' blocks, W the padded width, O outputs of the network, J of the program.
final class NetworkFactors {
    /// Among the networks of all subdomains.
    let number: Int
    /// The padded network.
    let network: Perceptron
    let points: Int
    let channels: Int
    let programOutputs: Int
    private let rows: Int
    /// Coordinates for the network, (P).
    let x: UnsafeMutablePointer<Float>
    let y: UnsafeMutablePointer<Float>
    /// Inputs of every layer but the first, (L, R, W); of the first (R, inputs).
    private let stacks: UnsafeMutablePointer<Float>
    private let entrance: UnsafeMutablePointer<Float>
    /// Adjoints of the hidden layers before their activation, (J, L, R, W), and of the network's outputs, (J, R, O).
    private let bars: UnsafeMutablePointer<Float>
    private let lastBars: UnsafeMutablePointer<Float>

    init(_ number: Int, _ packed: PackedNetwork, points: Int, channels: Int, programOutputs: Int) {
        (self.number, self.points, self.channels) = (number, points, channels)
        (self.programOutputs, network) = (programOutputs, packed.padded)
        rows = NetworkFactors.rows(packed.kernels, points * channels)
        x = allocateFloats(points)
        y = allocateFloats(points)
        stacks = allocateFloats(network.hiddenLayers * rows * network.width)
        entrance = allocateFloats(rows * network.inputs)
        bars = allocateFloats(programOutputs * network.hiddenLayers * rows * network.width)
        lastBars = allocateFloats(programOutputs * rows * network.outputs)
    }

    deinit {
        for buffer in [x, y, stacks, entrance, bars, lastBars] { buffer.deallocate() }
    }

    private static func rows(_ kernels: TileKernels, _ count: Int) -> Int {
        let block = kernels.table.pointee.block_rows
        return (count + block - 1) / block * block
    }

    /// Bytes that the factors of a tile take.
    static func memory(_ padded: Perceptron, _ kernels: TileKernels, points: Int, channels: Int, programOutputs: Int)
        -> Int
    {
        let rows = rows(kernels, points * channels)
        let hidden = padded.hiddenLayers * padded.width
        return 4
            * (2 * points + rows * (hidden + padded.inputs) + programOutputs * rows * (hidden + padded.outputs))
    }

    /// Inputs of a layer, rows `inputs(of: layer)` apart.
    func inputs(of layer: Int) -> UnsafeMutablePointer<Float> {
        layer == 0 ? entrance : stacks + (layer - 1) * rows * network.width
    }

    /// Adjoints of a layer before its activation, rows `outputs(of: layer)` apart.
    func adjoints(_ layer: Int, of output: Int) -> UnsafeMutablePointer<Float> {
        layer == network.hiddenLayers
            ? lastBars + output * rows * network.outputs
            : bars + (output * network.hiddenLayers + layer) * rows * network.width
    }

    /// Writes the derivatives with respect to the network's parameters, in the layout of the network without padding.
    ///
    /// - Parameter places: where they begin for the program's output 0 at each point; those of the next output are a stride further.
    func writeRows(to places: [UnsafeMutablePointer<Double>], stride: Int, of shape: Perceptron) {
        for layer in 0..<shape.layerCount {
            let (fanIn, padded) = (network.inputs(of: layer), network.outputs(of: layer))
            let (inputs, width) = (shape.inputs(of: layer), shape.outputs(of: layer))
            let stack = self.inputs(of: layer)
            for output in 0..<programOutputs {
                let bars = adjoints(layer, of: output)
                for (point, place) in places.enumerated() {
                    let bar = bars + point * channels * padded
                    let row = place + output * stride
                    for input in 0..<inputs {
                        outerRow(
                            stack + point * channels * fanIn + input, fanIn, bar, padded, width,
                            to: row + shape.weights(of: layer) + input * width)
                    }
                    let biases = row + shape.biases(of: layer)
                    for k in 0..<width { biases[k] = Double(bar[k]) }
                }
            }
        }
    }

    /// Σ_c a[c] b[c, :], the channels of a and b as far apart as their layers are wide.
    @inline(__always)
    func outerRow(
        _ a: UnsafePointer<Float>, _ fanIn: Int, _ b: UnsafePointer<Float>, _ padded: Int, _ width: Int,
        to row: UnsafeMutablePointer<Double>
    ) {
        typealias Lanes = SIMD8<Float>
        var k = 0
        while k + Lanes.scalarCount <= width {
            var sum = Lanes.zero
            for channel in 0..<channels {
                sum += a[channel * fanIn] * UnsafeRawPointer(b + channel * padded + k).loadUnaligned(as: Lanes.self)
            }
            UnsafeMutableRawPointer(row + k).storeBytes(of: SIMD8<Double>(sum), as: SIMD8<Double>.self)
            k += Lanes.scalarCount
        }
        while k < width {
            var sum: Float = 0
            for channel in 0..<channels { sum += a[channel * fanIn] * b[channel * padded + k] }
            row[k] = Double(sum)
            k += 1
        }
    }
}
