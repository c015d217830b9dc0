/// The shape of a fully connected network with tanh, and where its weights lie in the flat parameter vector.
///
/// Layer by layer: the weights, row-major (inputs, outputs), then the biases (outputs); so y = x W + b, as in JAX.
public struct Perceptron: Sendable, Equatable {
    public let inputs: Int
    /// Hidden layers, all of the same width.
    public let hiddenLayers: Int
    public let width: Int
    public let outputs: Int

    public init(inputs: Int = 2, hiddenLayers: Int, width: Int, outputs: Int) {
        precondition(inputs > 0 && hiddenLayers > 0 && width > 0 && outputs > 0)
        self.inputs = inputs
        self.hiddenLayers = hiddenLayers
        self.width = width
        self.outputs = outputs
    }

    /// Layers with weights: the hidden ones and the last.
    public var layerCount: Int { hiddenLayers + 1 }
    public func inputs(of layer: Int) -> Int { layer == 0 ? inputs : width }
    public func outputs(of layer: Int) -> Int { layer == hiddenLayers ? outputs : width }

    /// Offset of a layer's weights.
    public func weights(of layer: Int) -> Int {
        layer == 0 ? 0 : (inputs + 1) * width + (layer - 1) * (width + 1) * width
    }
    /// Offset of a layer's biases.
    public func biases(of layer: Int) -> Int {
        weights(of: layer) + inputs(of: layer) * outputs(of: layer)
    }
    public var parameterCount: Int { biases(of: hiddenLayers) + outputs }

    /// "8x128", as `--network` spells it.
    public var description: String { "\(hiddenLayers)x\(width)" }
}
