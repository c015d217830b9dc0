import Glibc

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

/// Independent normal numbers: SplitMix64 (Steele, Lea & Flood 2014) and Box & Muller (1958).
struct NormalNumbers {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> Double {
        let radius = (-2 * log(1 - uniform())).squareRoot()
        return radius * cos(2 * Double.pi * uniform())
    }

    /// In [0, 1).
    private mutating func uniform() -> Double {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return Double((z ^ (z >> 31)) >> 11) * 0x1p-53
    }
}
