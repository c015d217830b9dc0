import CKernels
import Compute
import Networks
import Threads

/// A network's parameters in the kernels' layout: the width padded with zeros to whole vectors, and the square
/// weights laid out in panels, once for the forward pass and once transposed for the backward pass.
///
/// Zeros remain zeros through tanh and all products, so the padding changes no result.
final class PackedNetwork: @unchecked Sendable {
    // Unchecked: written by `load` alone, between the passes; the threads of a pass read.

    /// A row of weights, or biases: its offsets in the flat vector and in the padded one, and its length.
    struct Row {
        let place: Int
        let paddedPlace: Int
        let count: Int
    }

    let kernels: TileKernels
    /// Precision of the products of hidden layers.
    let precision: Precision
    /// The network with its width padded; `parameters` is its flat vector.
    let padded: Perceptron
    let parameters: UnsafeMutablePointer<Float>
    /// By layer.
    let rows: [[Row]]
    private let panels: UnsafeMutablePointer<Float>
    /// Frequencies along x and y and phase of every Fourier feature, (3, W); a cosine is a sine a quarter ahead.
    let fourierTable: UnsafeMutablePointer<Float>

    init(_ network: Perceptron, _ kernels: TileKernels, _ precision: Precision) {
        self.kernels = kernels
        self.precision = precision
        padded = kernels.padded(network)
        let padded = padded
        rows = (0..<network.layerCount).map { layer in
            let count = network.outputs(of: layer)
            let weights = (0..<network.inputs(of: layer)).map { row in
                Row(
                    place: network.weights(of: layer) + row * count,
                    paddedPlace: padded.weights(of: layer) + row * padded.outputs(of: layer), count: count)
            }
            return weights + [
                Row(place: network.biases(of: layer), paddedPlace: padded.biases(of: layer), count: count)
            ]
        }
        parameters = allocateFloats(padded.parameterCount)
        panels = allocateFloats(2 * network.hiddenLayers * padded.width * padded.width)
        let frequencies = network.fourier?.frequencies ?? []
        fourierTable = allocateFloats(frequencies.isEmpty ? 0 : 3 * padded.width)
        for (number, b) in (frequencies + frequencies).enumerated() {
            fourierTable[number] = b.x
            fourierTable[padded.width + number] = b.y
            fourierTable[2 * padded.width + number] = number < frequencies.count ? Float(Double.pi / 2) : 0
        }
    }

    /// Memory for the networks of all subdomains, one subdomain after the other.
    static func all(of group: NetworkGroup, _ kernels: TileKernels, _ precision: Precision) -> [PackedNetwork] {
        (0..<group.decomposition.count).flatMap { _ in
            group.networks.map { PackedNetwork($0, kernels, precision) }
        }
    }

    /// Copies and packs a flat vector into networks made by `all`.
    static func load(_ vector: [Float], into packed: [PackedNetwork], of group: NetworkGroup, threads: Int) {
        vector.withUnsafeBufferPointer { flat in
            let work = Shared(value: (flat: flat.baseAddress!, group: group, packed: packed))
            // Layer by layer on all cores: on one, it would take as long as a tile, with a node's other cores idle.
            let layers = packed.indices.flatMap { number in
                (0..<packed[number].padded.layerCount).map { (number: number, layer: $0) }
            }
            let workers = min(threads, layers.count)
            ThreadTeam.computing.perform(iterations: workers) { worker in
                let (flat, group, packed) = work.value
                for next in stride(from: worker, to: layers.count, by: workers) {
                    let (number, layer) = layers[next]
                    let (subdomain, network) = number.quotientAndRemainder(dividingBy: group.networks.count)
                    packed[number].load(flat + group.parameters(of: network, in: subdomain), layer: layer)
                }
            }
        }
    }

    deinit {
        parameters.deallocate()
        panels.deallocate()
        fourierTable.deallocate()
    }

    /// Whether the first layer is a product like the others.
    var isEncoded: Bool { padded.fourier != nil }

    /// Panels of a hidden layer's weights, for the product with the stack below.
    func forwardPanels(_ layer: Int) -> UnsafeMutablePointer<Float> {
        panels + 2 * layer * padded.width * padded.width
    }
    /// Panels of their transpose, for the product with the adjoint stack.
    func backwardPanels(_ layer: Int) -> UnsafeMutablePointer<Float> {
        panels + (2 * layer + 1) * padded.width * padded.width
    }

    /// Copies and packs a layer's weights and biases from the flat vector.
    func load(_ flat: UnsafePointer<Float>, layer: Int) {
        for row in rows[layer] { (parameters + row.paddedPlace).update(from: flat + row.place, count: row.count) }
        guard layer < padded.hiddenLayers, layer > 0 || isEncoded else { return }
        let count = padded.width * padded.width
        let weights = parameters + padded.weights(of: layer)
        kernels.table.pointee.pack(weights, padded.width, 0, forwardPanels(layer))
        kernels.table.pointee.pack(weights, padded.width, 1, backwardPanels(layer))
        precision.round(forwardPanels(layer), count: 2 * count)
    }
}

/// Zeros, aligned to a cache line.
func allocateFloats(_ count: Int) -> UnsafeMutablePointer<Float> {
    let raw = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1) * 4, alignment: 64)
    let floats = raw.bindMemory(to: Float.self, capacity: max(count, 1))
    floats.initialize(repeating: 0, count: max(count, 1))
    return floats
}
