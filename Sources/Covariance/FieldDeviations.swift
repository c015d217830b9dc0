import Compute

/// Standard deviations of a program's outputs, carried from the weights by the networks' own Jacobian at each point: σ² is the mean of
/// (J δ)² over draws δ, plus (J s)² of the step s that is left to the loss's minimum.
///
/// Linear on purpose: along directions that data leave open, networks at θ + δ are far from what they are near θ.
public struct FieldDeviations {
    /// Arrays for each output, one value for each point.
    public struct Values {
        public var posterior: [[Float]]
        /// What the prior alone would leave of it.
        public var prior: [[Float]]
    }

    private let backend: any Backend
    private let parameters: [Float]
    private let covariance: WeightCovariance

    /// Points of which the factors of a Jacobian are held at once.
    static let piece = 1024

    /// - Parameter backend: whose residual problem has the fields' program alone.
    public init(_ backend: any Backend, parameters: [Float], _ covariance: WeightCovariance) {
        (self.backend, self.parameters, self.covariance) = (backend, parameters, covariance)
    }

    /// - Parameter check: throws where the work is to stop.
    public func values(at points: PointBatch, check: () throws -> Void = {}) throws -> Values {
        let outputs = backend.residualProblem.programs[0].program.outputs.count
        var values = Values(
            posterior: [[Float]](repeating: [], count: outputs), prior: [[Float]](repeating: [], count: outputs))
        for start in stride(from: 0, to: points.count, by: FieldDeviations.piece) {
            try check()
            let end = min(start + FieldDeviations.piece, points.count)
            let jacobian = try backend.jacobian(
                parameters: parameters,
                batches: [PointBatch(columns: points.columns.map { Array($0[start..<end]) })],
                coefficients: [[Double](repeating: 1, count: outputs)])
            let step = try meanSquares(jacobian, [covariance.step])
            let posterior = try meanSquares(jacobian, covariance.draws)
            let prior = try meanSquares(jacobian, covariance.priorDraws)
            for row in posterior.indices {
                values.posterior[row % outputs].append(Float((posterior[row] + step[row]).squareRoot()))
                values.prior[row % outputs].append(Float(prior[row].squareRoot()))
            }
        }
        return values
    }

    /// Of J δ, row by row.
    private func meanSquares(_ jacobian: any Jacobian, _ draws: [[Float]]) throws -> [Double] {
        var sums = [Double](repeating: 0, count: jacobian.rowCount)
        for draw in draws {
            for (row, change) in try jacobian.product(draw).enumerated() {
                sums[row] += Double(change) * Double(change) / Double(draws.count)
            }
        }
        return sums
    }
}
