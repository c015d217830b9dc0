import Fields

extension Perceptron {
    /// Glorot & Bengio (2010): weights normal with variance 2 / (inputs + outputs), biases zero. A pure function of the seed.
    ///
    /// - Parameter lastLayer: factor of the last layer's weights.
    public func initialParameters(seed: UInt64, lastLayer: Double = 1) -> [Float] {
        var generator = NormalNumbers(seed: seed)
        var parameters = [Float](repeating: 0, count: parameterCount)
        for layer in 0..<layerCount {
            let deviation =
                (2 / Double(inputs(of: layer) + outputs(of: layer))).squareRoot()
                * (layer == hiddenLayers ? lastLayer : 1)
            for place in weights(of: layer)..<biases(of: layer) {
                parameters[place] = Float(deviation * generator.next())
            }
        }
        return parameters
    }
}
