import Fields

/// A layer's weights in the flat parameter vector: (inputs, outputs) row-major from `offset`.
public struct WeightMatrix: Sendable, Equatable {
    public let offset: Int
    public let inputs: Int
    public let outputs: Int

    public init(offset: Int, inputs: Int, outputs: Int) {
        self.offset = offset
        self.inputs = inputs
        self.outputs = outputs
    }

    public var range: Range<Int> { offset..<offset + inputs * outputs }
}

/// Networks side by side on the same coordinates: outputs follow one another, and so do parameters in the flat vector.
///
/// One network for all unknowns lets them share features; one for what is observed and one for what is inferred
/// (Wang et al. 2025) keeps the viscosity's features its own, and carries only the derivatives that each of them needs.
public struct NetworkGroup: Sendable, Equatable {
    public let networks: [Perceptron]

    public init(_ networks: [Perceptron]) {
        precondition(!networks.isEmpty)
        self.networks = networks
    }

    public init(_ network: Perceptron) {
        self.init([network])
    }

    public var outputs: Int { networks.reduce(0) { $0 + $1.outputs } }
    public var parameterCount: Int { networks.reduce(0) { $0 + $1.parameterCount } }

    /// Where the parameters of a network begin in the flat vector.
    public func parameters(of number: Int) -> Int { networks[..<number].reduce(0) { $0 + $1.parameterCount } }

    /// The outputs of the group that a network has.
    public func outputs(of number: Int) -> Range<Int> {
        let first = networks[..<number].reduce(0) { $0 + $1.outputs }
        return first..<first + networks[number].outputs
    }

    /// The initial parameters of all networks: a function of the seed.
    public func initialParameters(seed: UInt64) -> [Float] {
        networks.enumerated().flatMap { number, network in
            network.initialParameters(seed: number == 0 ? seed : mixed(seed, UInt64(number)))
        }
    }

    /// The weights of all layers in their order; what lies between them are biases.
    public var weightMatrices: [WeightMatrix] {
        networks.enumerated().flatMap { number, network in
            (0..<network.layerCount).map { layer in
                WeightMatrix(
                    offset: parameters(of: number) + network.weights(of: layer), inputs: network.inputs(of: layer),
                    outputs: network.outputs(of: layer))
            }
        }
    }

    /// "8x128 tanh -> 4" for each.
    public var description: String {
        networks.map { "2 -> \($0.description) tanh -> \($0.outputs)" }.joined(separator: ", ")
    }
}
