/// The reference's Jacobian: its rows in double, and plain loops.
struct ReferenceJacobian: Jacobian {
    let parameterCount: Int
    private let exactResiduals: [Double]
    private let exactRows: [[Double]]

    init(_ exact: (residuals: [Double], rows: [[Double]]), parameterCount: Int) {
        (exactResiduals, exactRows, self.parameterCount) = (exact.residuals, exact.rows, parameterCount)
    }

    var rowCount: Int { exactRows.count }
    var residuals: [Float] { exactResiduals.map(Float.init) }

    func product(_ vector: [Float]) -> [Float] {
        exactRows.map { row in Float(zip(row, vector).reduce(0) { $0 + $1.0 * Double($1.1) }) }
    }

    func transposedProduct(_ weights: [Float]) -> [Float] {
        var sum = [Double](repeating: 0, count: parameterCount)
        for (row, weight) in zip(exactRows, weights) {
            for (k, value) in row.enumerated() { sum[k] += Double(weight) * value }
        }
        return sum.map(Float.init)
    }

    func rows() -> [Double] { exactRows.flatMap { $0 } }

    func gram() -> [Double] {
        exactRows.enumerated().flatMap { i, row in
            exactRows.enumerated().map { j, other in
                j > i ? 0 : zip(row, other).reduce(0) { $0 + $1.0 * $1.1 }
            }
        }
    }
}

extension ReferenceBackend {
    public func jacobian(
        parameters: [Float], batches: [PointBatch], coefficients: [[Double]]
    ) throws -> any Jacobian {
        ReferenceJacobian(
            jacobian(parameters: parameters.map(Double.init), batches: batches, coefficients: coefficients),
            parameterCount: parameters.count)
    }
}
