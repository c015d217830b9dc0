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

/// Networks side by side on the same coordinates: outputs follow one another, and so do parameters in the flat vector. A
/// decomposed domain has as many such groups as subdomains, one after the other.
///
/// One network for all unknowns lets them share features; one for what is observed and one for what is inferred
/// (Wang et al. 2025) keeps the viscosity's features its own, and carries only the derivatives that each of them needs.
public struct NetworkGroup: Sendable, Equatable {
    /// The networks of each subdomain.
    public let networks: [Perceptron]
    public let decomposition: Decomposition

    public init(_ networks: [Perceptron], _ decomposition: Decomposition = .whole) {
        precondition(!networks.isEmpty)
        self.networks = networks
        self.decomposition = decomposition
    }

    public init(_ network: Perceptron) {
        self.init([network])
    }

    public var outputs: Int { networks.reduce(0) { $0 + $1.outputs } }
    public var parameterCount: Int { decomposition.count * parametersOfSubdomain }
    private var parametersOfSubdomain: Int { networks.reduce(0) { $0 + $1.parameterCount } }

    /// Where the parameters of a network begin in the flat vector.
    public func parameters(of number: Int, in subdomain: Int = 0) -> Int {
        subdomain * parametersOfSubdomain + networks[..<number].reduce(0) { $0 + $1.parameterCount }
    }

    /// The outputs of the group that a network has.
    public func outputs(of number: Int) -> Range<Int> {
        let first = networks[..<number].reduce(0) { $0 + $1.outputs }
        return first..<first + networks[number].outputs
    }

    /// The initial parameters of all networks: a function of the seed.
    ///
    /// Subdomains begin with small outputs. Where they disagree as much as networks of Glorot's do, windows' second derivatives
    /// make a residual of thousands of it, and its first gradients flatten the networks for good (seen: velocities that are
    /// still the mean after 4000 iterations).
    public func initialParameters(seed: UInt64) -> [Float] {
        (0..<decomposition.count * networks.count).flatMap { number in
            networks[number % networks.count].initialParameters(
                seed: number == 0 ? seed : mixed(seed, UInt64(number)), lastLayer: decomposition == .whole ? 1 : 0.1)
        }
    }

    /// The weights of all layers in their order; what lies between them are biases.
    public var weightMatrices: [WeightMatrix] {
        (0..<decomposition.count).flatMap { subdomain in
            networks.enumerated().flatMap { number, network in
                (0..<network.layerCount).map { layer in
                    WeightMatrix(
                        offset: parameters(of: number, in: subdomain) + network.weights(of: layer),
                        inputs: network.inputs(of: layer), outputs: network.outputs(of: layer))
                }
            }
        }
    }

    /// "2 -> 8x128 tanh -> 4" for each.
    public var description: String {
        let group = networks.map(\.description).joined(separator: ", ")
        guard decomposition != .whole else { return group }
        return "\(group) in each of \(decomposition.rows)x\(decomposition.columns) subdomains"
    }
}
