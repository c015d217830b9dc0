import Networks

/// The prior of the weights that the run itself makes most probable: around their initial values θ₀, independent, of precision α_g in each
/// group of weights. MacKay (1992, Neural Computation 4, 415 and 448): at the maximum of the evidence
///
///     α_g = γ_g / ‖θ_g − θ₀_g‖²,   γ_g = n_g − α_g tr_g(A⁻¹),   β = (N − γ) / L,   A = β JᵀJ + diag(α)
///
/// where γ_g of a group's n_g weights are determined by the data, and L is the loss of N observed numbers. The prior's mean is where
/// training began, not zero: training leaves the weights there in the directions that data leave open, nine of ten.
package struct Evidence {
    /// Of every weight: the number of its group.
    private let groups: [Int]
    private let sizes: [Double]
    /// ‖θ_g − θ₀_g‖².
    private let squares: [Double]
    /// Observed numbers, and their loss.
    private let observed: (count: Double, loss: Double)
    package private(set) var groupAlphas: [Double]
    /// γ_g.
    package private(set) var determined: [Double]

    /// Of every weight.
    package var alphas: [Double] { groups.map { groupAlphas[$0] } }
    package var determinedCount: Double { determined.reduce(0, +) }
    package var beta: Double { max(observed.count - determinedCount, 1) / observed.loss }

    /// - Parameter initial: θ₀.
    package init(
        _ parameters: [Float], initial: [Float], of networks: NetworkGroup, observed: (count: Double, loss: Double)
    ) {
        groups = Evidence.groups(of: networks)
        let count = (groups.max() ?? 0) + 1
        var sizes = [Double](repeating: 0, count: count)
        var squares = [Double](repeating: .leastNormalMagnitude, count: count)
        for (weight, group) in groups.enumerated() {
            let moved = Double(parameters[weight]) - Double(initial[weight])
            sizes[group] += 1
            squares[group] += moved * moved
        }
        (self.sizes, self.squares, self.observed) = (sizes, squares, observed)
        groupAlphas = zip(sizes, squares).map { $0 / $1 }
        determined = sizes.map { _ in 0 }
    }

    /// A layer's weights and biases are a group, in all subdomains: a bias alone, or a few, would have a prior from one number.
    static func groups(of networks: NetworkGroup) -> [Int] {
        (0..<networks.decomposition.count).flatMap { _ in
            var first = 0
            return networks.networks.flatMap { network in
                defer { first += network.layerCount }
                return (0..<network.layerCount).flatMap { layer in
                    [Int](repeating: first + layer, count: (network.inputs(of: layer) + 1) * network.outputs(of: layer))
                }
            }
        }
    }

    /// A round, from draws of the covariance A⁻¹, whose mean squares are its diagonal.
    package mutating func update(_ draws: Columns) {
        var traces = sizes.map { _ in 0.0 }
        for (weight, group) in groups.enumerated() {
            for value in draws.elements[weight * draws.columns..<(weight + 1) * draws.columns] {
                traces[group] += value * value / Double(draws.columns)
            }
        }
        for group in sizes.indices {
            let rest = sizes[group] - groupAlphas[group] * traces[group]
            determined[group] = min(max(rest, 0.01 * sizes[group]), sizes[group])
            groupAlphas[group] = determined[group] / squares[group]
        }
    }
}
