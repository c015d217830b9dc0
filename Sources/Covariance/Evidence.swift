import Networks

/// The prior of the weights that the run itself makes most probable: independent, of mean zero, of precision α_g in each group of
/// weights. MacKay (1992, Neural Computation 4, 415 and 448): at the maximum of the evidence
///
///     α_g = γ_g / ‖θ_g‖²,   γ_g = n_g − α_g tr_g(A⁻¹),   β = (N − γ) / L,   A = β JᵀJ + diag(α)
///
/// where γ_g of a group's n_g weights are determined by the data, and L is the loss of N observed numbers.
struct Evidence {
    /// Of every weight: the number of its group.
    private let groups: [Int]
    private let sizes: [Double]
    private let squares: [Double]
    /// Observed numbers, and their loss.
    private let observed: (count: Double, loss: Double)
    private(set) var groupAlphas: [Double]
    /// γ_g.
    private(set) var determined: [Double]

    var alphas: [Double] { groups.map { groupAlphas[$0] } }
    var determinedCount: Double { determined.reduce(0, +) }
    var beta: Double { max(observed.count - determinedCount, 1) / observed.loss }

    init(_ parameters: [Float], of networks: NetworkGroup, observed: (count: Double, loss: Double)) {
        groups = Evidence.groups(of: networks)
        let count = (groups.max() ?? 0) + 1
        var sizes = [Double](repeating: 0, count: count)
        var squares = sizes
        for (group, weight) in zip(groups, parameters) {
            sizes[group] += 1
            squares[group] += Double(weight) * Double(weight)
        }
        (self.sizes, self.squares, self.observed) = (sizes, squares, observed)
        groupAlphas = zip(sizes, squares).map { $0 / max($1, .leastNormalMagnitude) }
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
    mutating func update(_ draws: Columns) {
        let columns = draws.columns
        var traces = sizes.map { _ in 0.0 }
        for (weight, group) in groups.enumerated() {
            for value in draws.elements[weight * columns..<(weight + 1) * columns] { traces[group] += value * value }
        }
        for group in sizes.indices {
            let open = groupAlphas[group] * traces[group] / Double(columns)
            determined[group] = min(max(sizes[group] - open, 0.01 * sizes[group]), sizes[group])
            groupAlphas[group] = determined[group] / max(squares[group], .leastNormalMagnitude)
        }
    }
}
