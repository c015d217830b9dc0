import Compute
import Covariance
import Fields
import Foundation
import Networks
import TestSupport
import Testing

/// A linear problem y = J θ + noise of known variances, for the layout of a small network's weights.
private struct LinearProblem {
    let networks = NetworkGroup(Perceptron(hiddenLayers: 1, width: 14, outputs: 2))
    let normal: NormalMatrix
    let weights: [Double]
    let loss: Double
    let rows: Int
    var order: Int { networks.parameterCount }

    /// - Parameters:
    ///   - deviations: of the weights and of the noise.
    ///   - rows: of J, normal numbers; the first few columns are large, the last ones vanish.
    init(deviations: (weights: Double, noise: Double), rows: Int, seed: UInt64) {
        let order = networks.parameterCount
        var numbers = NormalNumbers(seed: seed)
        let weights = (0..<order).map { _ in deviations.weights * numbers.next() }
        var normal = NormalMatrix(order: order)
        var (projection, square) = ([Double](repeating: 0, count: order), 0.0)
        for _ in 0..<rows {
            let row = (0..<order).map { exp2(4 - Double($0) / 8) * numbers.next() }
            let observed = dot(row, weights) + deviations.noise * numbers.next()
            normal.add(rows: row)
            for k in 0..<order { projection[k] += observed * row[k] }
            square += observed * observed
        }
        // The loss at its minimum, |y|² − yᵀ J (JᵀJ)⁻¹ Jᵀ y.
        var factor = NormalMatrix(order: order)
        factor.elements = LinearProblem.symmetric(normal)
        var solution = projection
        precondition((try? TriangularFactor.factorize(&factor.elements, order: order, threads: 1, check: {})) == true)
        TriangularFactor.solve(factor.elements, order: order, transposed: true, &solution, columns: 1, threads: 1)
        TriangularFactor.solve(factor.elements, order: order, transposed: false, &solution, columns: 1, threads: 1)
        (self.normal, self.weights, self.rows, loss) = (normal, solution, rows, square - dot(projection, solution))
    }

    static func symmetric(_ matrix: NormalMatrix) -> [Double] {
        let order = matrix.order
        return (0..<order * order).map { place in
            let (i, j) = (place / order, place % order)
            return matrix.elements[max(i, j) * order + min(i, j)]
        }
    }
}

@Suite("The evidence of a linear problem")
struct EvidenceTests {
    /// 72 weights: the precision of a group of 42 of them is known to √(2/42), 22 %.
    @Test("finds the noise and the prior that made it")
    func noiseAndPrior() throws {
        let problem = LinearProblem(deviations: (weights: 0.5, noise: 2), rows: 4000, seed: 5)
        var evidence = Evidence(
            problem.weights.map(Float.init), initial: problem.weights.map { _ in 0 }, of: problem.networks,
            observed: (count: Double(problem.rows), loss: problem.loss))
        var precision = PosteriorPrecision(problem.normal, threads: 2)
        for _ in 0..<4 {
            try precision.factorize(evidence) {}
            var draws = WeightCovariance.signs(count: problem.order, 512, seed: 1)
            precision.draw(&draws.elements, columns: draws.columns)
            evidence.update(draws)
        }
        #expect(abs(evidence.beta * 4 - 1) < 0.08)
        for alpha in evidence.groupAlphas { #expect((0.5...2).contains(alpha / 4)) }
        #expect(evidence.determinedCount > 60 && evidence.determinedCount <= 72)
    }

    /// Against the inverse, column by column.
    @Test("gives draws with the covariance of the posterior")
    func draws() throws {
        let problem = LinearProblem(deviations: (weights: 0.5, noise: 2), rows: 200, seed: 6)
        let evidence = Evidence(
            problem.weights.map(Float.init), initial: problem.weights.map { _ in 0 }, of: problem.networks,
            observed: (count: Double(problem.rows), loss: problem.loss))
        var precision = PosteriorPrecision(problem.normal, threads: 2)
        try precision.factorize(evidence) {}
        let order = problem.order
        var matrix = LinearProblem.symmetric(problem.normal).map { $0 * evidence.beta }
        for (k, alpha) in evidence.alphas.enumerated() { matrix[k * order + k] += alpha }
        var draws = WeightCovariance.signs(count: order, 4096, seed: 2)
        precision.draw(&draws.elements, columns: draws.columns)
        for column in stride(from: 0, to: order, by: 7) {
            var inverse = (0..<order).map { $0 == column ? 1.0 : 0 }
            precision.solve(&inverse, columns: 1)
            let unit = (0..<order).map { dot(Array(matrix[$0 * order..<($0 + 1) * order]), inverse) }
            #expect(relativeError(unit, (0..<order).map { $0 == column ? 1.0 : 0 }) < 1e-8)
            // A mean over 4096 draws: √(2/4096) is 2 %.
            let values = draws.elements[column * 4096..<(column + 1) * 4096]
            let variance = values.reduce(0) { $0 + $1 * $1 } / 4096
            #expect(abs(variance / inverse[column] - 1) < 0.1, "\(column)")
        }
    }

    @Test("keeps JᵀJ beside the factor")
    func product() throws {
        let problem = LinearProblem(deviations: (weights: 0.5, noise: 2), rows: 100, seed: 7)
        let evidence = Evidence(
            problem.weights.map(Float.init), initial: problem.weights.map { _ in 0 }, of: problem.networks,
            observed: (count: 100, loss: max(problem.loss, 1)))
        var precision = PosteriorPrecision(problem.normal, threads: 1)
        try precision.factorize(evidence) {}
        try precision.factorize(evidence) {}
        let symmetric = LinearProblem.symmetric(problem.normal)
        let found = precision.product(problem.weights, columns: 1)
        let expected = (0..<problem.order).map {
            dot(Array(symmetric[$0 * problem.order..<($0 + 1) * problem.order]), problem.weights)
        }
        #expect(relativeError(found, expected) < 1e-12)
    }
}
