import Compute
import Fields

/// Sums over all rows of a loss: JᵀJ, and Jᵀ e for draws e of the rows' scatter in the loss's own unit, whose covariance is Σ_t ρ_t J_tᵀ J_t.
struct RowSums {
    private var normal: NormalMatrix
    private(set) var scores: Columns

    init(_ loss: LinearizedLoss, _ scatter: RowScatter, beta: Double, report: (Double) throws -> Void) throws {
        let columns = WeightCovariance.drawCount
        let count = loss.parameters.count
        var normal = NormalMatrix(order: count)
        var sums = [Double](repeating: 0, count: count * columns)
        let signs = RandomSigns(seed: 0x73636f7265)
        let all = Double(loss.sample.count)
        var firstRow = 0
        try loss.forEachPiece(report: { try report(Double($0) / all) }) { program, jacobian in
            try jacobian.addProducts(to: &normal)
            let deviations = scatter.deviations(of: program, jacobian, beta: beta)
            for column in 0..<columns {
                let scattered = (0..<jacobian.rowCount).map { row in
                    Float(deviations[row] * signs((firstRow + row) * columns + column))
                }
                for (k, value) in try jacobian.transposedProduct(scattered).enumerated() {
                    sums[k * columns + column] += Double(value)
                }
            }
            firstRow += jacobian.rowCount
        }
        self.normal = normal
        scores = Columns(elements: sums, count: count, columns: columns)
    }

    /// JᵀJ, which is not kept here: it is large.
    mutating func takeNormal() -> NormalMatrix {
        defer { normal = NormalMatrix(order: 0) }
        return normal
    }
}
