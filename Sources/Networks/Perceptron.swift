/// The shape of a fully connected tanh network, and the layout of its weights in the flat parameter vector.
///
/// Layer by layer: the weights, row-major (inputs, outputs), then the biases (outputs); y = x W + b, as in JAX.
public struct Perceptron: Sendable, Equatable {
    /// Inputs of the first layer: x and y, or Fourier features.
    public let inputs: Int
    /// Hidden layers, all of the same width.
    public let hiddenLayers: Int
    public let width: Int
    public let outputs: Int
    /// Fourier features; nil: the first layer takes x and y.
    public let fourier: FourierFeatures?

    /// - Parameter inputs: inputs of the first layer; nil: as many as features or coordinates. Any more are zeros that fill up vectors.
    public init(inputs: Int? = nil, hiddenLayers: Int, width: Int, outputs: Int, fourier: FourierFeatures? = nil) {
        let features = fourier?.count ?? 2
        self.inputs = inputs ?? features
        precondition(self.inputs >= features && hiddenLayers > 0 && width > 0 && outputs > 0)
        self.hiddenLayers = hiddenLayers
        self.width = width
        self.outputs = outputs
        self.fourier = fourier
    }

    /// Number of layers with weights: the hidden ones and the output layer.
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

    /// "2 -> 8x128 tanh -> 4", with the number of Fourier features where there are any.
    public var description: String {
        "2 -> \(fourier.map { "\($0.count) frequencies -> " } ?? "")\(hiddenLayers)x\(width) tanh -> \(outputs)"
    }
}
