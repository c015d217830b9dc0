import COpenBLAS
import Compute
import Fields

/// The precision A = β JᵀJ + diag(α) of the weights' posterior, its factor, and what is drawn with it.
///
/// One square holds both: JᵀJ below and on the diagonal, the factor of A above; the diagonal of JᵀJ moves aside while A is factored.
package struct PosteriorPrecision {
    private var normal: NormalMatrix
    private let diagonal: [Double]
    private let threads: Int
    package var order: Int { normal.order }

    package init(_ normal: NormalMatrix, threads: Int) {
        (self.normal, self.threads) = (normal, threads)
        diagonal = (0..<normal.order).map { normal.elements[$0 * normal.order + $0] }
    }

    /// - Parameter check: throws where the work is to stop.
    package mutating func factorize(_ evidence: Evidence, check: () throws -> Void) throws {
        let (n, beta, side) = (order, evidence.beta, 64)
        // Transposed block by block: rows of one triangle are columns of the other.
        for top in stride(from: 0, to: n, by: side) {
            for left in stride(from: 0, through: top, by: side) {
                for row in top..<min(top + side, n) {
                    for column in left..<min(left + side, row) {
                        normal.elements[column * n + row] = beta * normal.elements[row * n + column]
                    }
                }
            }
        }
        for (k, alpha) in evidence.alphas.enumerated() { normal.elements[k * n + k] = beta * diagonal[k] + alpha }
        guard try TriangularFactor.factorize(&normal.elements, order: n, threads: threads, check: check) else {
            throw PlainFailure(
                "the Jacobian of the run's loss is not finite, or too large for numbers in double; train on, or again")
        }
    }

    /// U⁻¹ z of random z has the covariance A⁻¹: vectors (order, columns) are replaced.
    package func draw(_ vectors: inout [Double], columns: Int) {
        TriangularFactor.solve(
            normal.elements, order: order, transposed: false, &vectors, columns: columns, threads: threads)
    }

    /// A⁻¹ times vectors (order, columns), which are replaced.
    package func solve(_ vectors: inout [Double], columns: Int) {
        TriangularFactor.solve(
            normal.elements, order: order, transposed: true, &vectors, columns: columns, threads: threads)
        draw(&vectors, columns: columns)
    }

    /// JᵀJ times vectors (order, columns).
    package func product(_ vectors: [Double], columns: Int) -> [Double] {
        var result = [Double](repeating: 0, count: vectors.count)
        cblas_dsymm(
            CblasRowMajor, CblasLeft, CblasLower, blasint(order), blasint(columns), 1, normal.elements, blasint(order),
            vectors, blasint(columns), 0, &result, blasint(columns))
        // The matrix holds the factor's diagonal.
        for k in 0..<order {
            let change = diagonal[k] - normal.elements[k * order + k]
            for column in 0..<columns { result[k * columns + column] += change * vectors[k * columns + column] }
        }
        return result
    }
}
