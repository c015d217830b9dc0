import CKernels
import Networks

/// A network's parameters as the kernels want them: the width padded with zeros to whole panels of vectors, and the square
/// weights laid out in panels, once for their products on the way forward and once transposed for the way back.
///
/// Zeros stay zeros through tanh and all products, so the padding changes no result.
final class PackedNetwork: @unchecked Sendable {
    // Unchecked: written by `load` alone, between the passes; the threads of a pass read.

    let network: Perceptron
    /// The network with its width padded; `parameters` is its flat vector.
    let padded: Perceptron
    let parameters: UnsafeMutablePointer<Float>
    private let panels: UnsafeMutablePointer<Float>
    /// Rows of weights, and biases: where each lies in the flat vector and in the padded one, and its length.
    let rows: [(place: Int, paddedPlace: Int, count: Int)]

    init(_ network: Perceptron) {
        let panel = products_panel_width()
        self.network = network
        padded = Perceptron(
            inputs: network.inputs, hiddenLayers: network.hiddenLayers,
            width: (network.width + panel - 1) / panel * panel, outputs: network.outputs)
        var rows: [(place: Int, paddedPlace: Int, count: Int)] = []
        for layer in 0..<network.layerCount {
            let count = network.outputs(of: layer)
            for row in 0..<network.inputs(of: layer) {
                rows.append(
                    (
                        network.weights(of: layer) + row * count,
                        padded.weights(of: layer) + row * padded.outputs(of: layer), count
                    ))
            }
            rows.append((network.biases(of: layer), padded.biases(of: layer), count))
        }
        self.rows = rows
        parameters = allocateFloats(padded.parameterCount)
        panels = allocateFloats(2 * network.hiddenLayers * padded.width * padded.width)
    }

    deinit {
        parameters.deallocate()
        panels.deallocate()
    }

    /// Panels of a hidden layer's weights, for the product with the stack below.
    func forwardPanels(_ layer: Int) -> UnsafeMutablePointer<Float> {
        panels + 2 * layer * padded.width * padded.width
    }
    /// Panels of their transpose, for the product with the adjoint stack.
    func backwardPanels(_ layer: Int) -> UnsafeMutablePointer<Float> {
        panels + (2 * layer + 1) * padded.width * padded.width
    }

    func load(_ flat: [Float]) {
        precondition(flat.count == network.parameterCount)
        flat.withUnsafeBufferPointer { flat in
            for row in rows {
                (parameters + row.paddedPlace).update(from: flat.baseAddress! + row.place, count: row.count)
            }
        }
        for layer in 1..<max(padded.hiddenLayers, 1) {
            let weights = parameters + padded.weights(of: layer)
            products_pack(weights, padded.width, 0, forwardPanels(layer))
            products_pack(weights, padded.width, 1, backwardPanels(layer))
        }
    }
}

/// Zeros, aligned to a cache line.
func allocateFloats(_ count: Int) -> UnsafeMutablePointer<Float> {
    let raw = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1) * 4, alignment: 64)
    let floats = raw.bindMemory(to: Float.self, capacity: max(count, 1))
    floats.initialize(repeating: 0, count: max(count, 1))
    return floats
}
