import Compute
import Fields
import Objective
import PointStore
import Runs

/// How uncertain the weights of a trained run are, by Laplace's approximation around them: draws of their deviations.
///
/// With the rows J of the loss, A = β JᵀJ + diag(α) and α, β by the evidence (`Evidence`), an error n of the rows moves the weights by
/// A⁻¹ β Jᵀ n, and the prior holds them back from where they belong. So their deviations have the covariance
///
///     A⁻¹ (β Σ_t ρ_t J_tᵀ J_t + diag(α)) A⁻¹
///
/// with the scatter ρ_t of the rows J_t (`RowScatter`). Where rows scatter as the loss assumes, ρ = 1, this is A⁻¹, the covariance of the
/// posterior; the difference is White's (1982, Econometrica 50, 1). To it comes what is left to the loss's minimum, as one more
/// Gauss-Newton step sees it: a run that ends early is uncertain by that (`TrainingBatch.isMinimized`).
public struct WeightCovariance: Sendable {
    /// Draws of deviations of the weights.
    public let draws: [[Float]]
    /// Of what the prior alone would let them be.
    public let priorDraws: [[Float]]
    /// What one more Gauss-Newton step would change.
    public let step: [Float]
    /// γ: how many combinations of weights data and equations determine.
    public let determinedCount: Double
    /// Of α^-½ β JᵀJ α^-½, the largest ones, descending: more than 1 where data and equations determine a combination of weights,
    /// less where the prior does.
    public let eigenvalues: [Double]
    /// Prior and noise, by which the draws were made.
    package let evidence: Evidence
    /// Cells that share their noise, of the observed sets.
    public let correlatedCells: [PointSet: Double]

    /// Larger networks take more memory and time than other ways to the same.
    public static let maxParameterCount = 12_000
    /// A standard deviation from so many draws is uncertain by 6 %.
    package static let drawCount = 128
    static let priorDrawCount = 32
    static let eigenvalueCount = 512
    private static let rounds = 3

    /// - Parameters:
    ///   - backend: of the run's objective.
    ///   - report: called with the share that is done; cancels the work by throwing.
    public init(
        of checkpoint: Checkpoint, _ objective: Objective, store: StoreReader, backend: any Backend,
        report: (_ share: Double) throws -> Void
    ) throws {
        let batch = TrainingBatch(of: checkpoint, store, objective)
        let parameters = checkpoint.parameters
        let loss = try LinearizedLoss(
            objective, backend, parameters: parameters, sample: PointSample(store, sets: objective.sets),
            balance: checkpoint.balance
        ) { try report(0) }
        let scatter = try RowScatter(loss, batch, checkpoint.configuration.noiseCorrelation)
        guard scatter.observed.loss > 0 else {
            throw PlainFailure(
                .usage,
                "--standard-deviations: the run's loss has no misfit to observations, which tells how noisy they are")
        }
        let networks = objective.residualProblem.networks
        var evidence = Evidence(
            parameters, initial: networks.initialParameters(seed: checkpoint.configuration.seed), of: networks,
            observed: scatter.observed)
        var sums = try RowSums(loss, scatter, beta: evidence.beta) { try report(0.7 * $0) }
        var precision = PosteriorPrecision(sums.takeNormal(), threads: backend.threads)
        for round in 0..<WeightCovariance.rounds {
            try report(0.7 + 0.05 * Double(round))
            try precision.factorize(evidence) { try report(0.7) }
            var draws = WeightCovariance.signs(count: parameters.count, WeightCovariance.drawCount, seed: 1)
            precision.draw(&draws.elements, columns: draws.columns)
            evidence.update(draws)
        }
        try precision.factorize(evidence) { try report(0.85) }
        step = try WeightCovariance.step(batch, loss, evidence, precision) { try report(0.9) }
        draws = WeightCovariance.draws(sums.scores, evidence, precision)
        priorDraws = WeightCovariance.priorDraws(evidence)
        determinedCount = evidence.determinedCount
        self.evidence = evidence
        correlatedCells = Dictionary(uniqueKeysWithValues: zip(objective.sets, scatter.correlatedCells))
            .filter { $0.key.isObserved }
        eigenvalues = try WeightCovariance.eigenvalues(evidence, precision) { try report(0.9 + 0.1 * $0) }
        try report(1)
    }

    /// A⁻¹ (√β scores + α^½ z): independent parts, so that their covariances add up.
    private static func draws(_ scores: Columns, _ evidence: Evidence, _ precision: PosteriorPrecision) -> [[Float]] {
        var draws = scores
        let root = evidence.beta.squareRoot()
        let signs = signs(count: scores.count, scores.columns, seed: 2)
        for (row, alpha) in evidence.alphas.enumerated() {
            for place in row * draws.columns..<(row + 1) * draws.columns {
                draws.elements[place] = root * draws.elements[place] + alpha.squareRoot() * signs.elements[place]
            }
        }
        precision.solve(&draws.elements, columns: draws.columns)
        return draws.vectors
    }

    /// −A⁻¹ β Jᵀ r; none where the run's method does not lower the loss.
    private static func step(
        _ batch: TrainingBatch, _ loss: LinearizedLoss, _ evidence: Evidence, _ precision: PosteriorPrecision,
        check: () throws -> Void
    ) throws -> [Float] {
        guard batch.isMinimized else { return loss.parameters.map { _ in 0 } }
        let gradient = try batch.halfGradient(
            loss.backend, parameters: loss.parameters, factors: loss.factors, check: check)
        var step = gradient.map { -evidence.beta * $0 }
        precision.solve(&step, columns: 1)
        return step.map(Float.init)
    }

    /// α^-½ z.
    private static func priorDraws(_ evidence: Evidence) -> [[Float]] {
        let alphas = evidence.alphas
        var draws = signs(count: alphas.count, priorDrawCount, seed: 3)
        draws.scale(alphas.map { 1 / $0.squareRoot() })
        return draws.vectors
    }

    private static func eigenvalues(
        _ evidence: Evidence, _ precision: PosteriorPrecision, report: (Double) throws -> Void
    ) throws -> [Double] {
        let roots = evidence.alphas.map { (evidence.beta / $0).squareRoot() }
        // The last of the values that a space gives are inaccurate.
        let values = try LeadingEigenvalues.of(
            order: roots.count, count: 2 * eigenvalueCount, seed: 4, report: report
        ) { vectors in
            var scaled = vectors
            scaled.scale(roots)
            scaled.elements = precision.product(scaled.elements, columns: scaled.columns)
            scaled.scale(roots)
            return scaled
        }
        return Array(values.prefix(eigenvalueCount))
    }

    /// Random signs, which have the covariance 1 as normal numbers have.
    package static func signs(count: Int, _ columns: Int, seed: UInt64) -> Columns {
        let signs = RandomSigns(seed: mixed(0x636f76, seed))
        return Columns(elements: (0..<count * columns).map { signs($0) }, count: count, columns: columns)
    }
}

/// Vectors as the columns of a row-major matrix (count, columns).
package struct Columns {
    package var elements: [Double]
    package let count: Int
    package let columns: Int

    package init(elements: [Double], count: Int, columns: Int) {
        (self.elements, self.count, self.columns) = (elements, count, columns)
    }

    /// Multiplies every vector by a diagonal matrix.
    package mutating func scale(_ diagonal: [Double]) {
        for (row, factor) in diagonal.enumerated() {
            for place in row * columns..<(row + 1) * columns { elements[place] *= factor }
        }
    }

    package var vectors: [[Float]] {
        (0..<columns).map { column in (0..<count).map { Float(elements[$0 * columns + column]) } }
    }
}

/// Random signs, a function of the seed.
struct RandomSigns {
    let seed: UInt64

    /// ±1 at a place.
    func callAsFunction(_ place: Int) -> Double {
        mixed(seed, UInt64(place >> 6)) >> UInt64(place & 63) & 1 == 0 ? 1 : -1
    }
}
