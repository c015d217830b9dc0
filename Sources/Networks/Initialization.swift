import Fields

extension Perceptron {
    /// Glorot & Bengio (2010): weights normal with variance 2 / (inputs + outputs), biases zero. A function of the seed.
    public func initialParameters(seed: UInt64) -> [Float] {
        var generator = NormalNumbers(seed: seed)
        var parameters = [Float](repeating: 0, count: parameterCount)
        for layer in 0..<layerCount {
            let deviation = (2 / Double(inputs(of: layer) + outputs(of: layer))).squareRoot()
            for place in weights(of: layer)..<biases(of: layer) {
                parameters[place] = Float(deviation * generator.next())
            }
        }
        return parameters
    }
}
