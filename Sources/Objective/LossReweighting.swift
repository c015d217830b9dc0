/// How the terms of the loss are weighted against each other during a run.
public enum ReweightingMethod: String, Sendable, CaseIterable {
    /// By their fixed weights.
    case none
    /// By the norms of their gradients (LossReweighting).
    case gradient
}

/// Factors on the terms' weights that equalize the norms of the weighted terms' gradients (Wang, Teng & Perdikaris
/// 2021, SIAM J. Sci. Comput. 43(5); with norms, as in Wang et al. 2023, arXiv:2308.08468, algorithm 1):
///
///     f_i ← 0.9 f_i + 0.1 mean_j ‖w_j ∇L_j‖ / ‖w_i ∇L_i‖
///
/// so the weights w matter only at the beginning of a run. A term whose weight or gradient is zero keeps its factor.
public struct LossReweighting: Sendable, Equatable {
    /// Iterations between two updates.
    static let updateEvery = 100
    /// Whether factors change at an iteration.
    public static func isDue(_ iteration: Int, phaseStart: Int) -> Bool { (iteration - phaseStart) % updateEvery == 0 }
    /// Share of a factor that an update keeps.
    static let keep = 0.9

    /// One per term.
    public private(set) var factors: [Double]

    public init(factors: [Double]) {
        self.factors = factors
    }

    /// Scales the regularizers by the current sum of the other terms.
    ///
    /// - Parameter rest: Σ weight × term over misfits and equations.
    public mutating func setRegularizers(of terms: [LossTerm], rest: Double) {
        for term in terms.indices where terms[term].isRegularizer { factors[term] = rest }
    }

    /// - Parameter norms: ‖w_i ∇L_i‖, without the factors.
    public mutating func update(gradientNorms norms: [Double]) {
        precondition(norms.count == factors.count)
        let present = norms.indices.filter { norms[$0] != 0 }
        let mean = present.reduce(0) { $0 + norms[$1] } / Double(max(present.count, 1))
        for term in present {
            factors[term] = LossReweighting.keep * factors[term] + (1 - LossReweighting.keep) * mean / norms[term]
        }
    }
}
