import Compute
import Covariance
import Fields
import Foundation
import TestSupport
import Testing

/// A symmetric, positive definite matrix: random numbers, and a large diagonal.
func randomMatrix(order: Int, seed: UInt64) -> [Double] {
    var numbers = SeededNumbers(seed: seed)
    var matrix = [Double](repeating: 0, count: order * order)
    for i in 0..<order {
        for j in 0...i {
            let value = numbers.next()
            matrix[i * order + j] = value
            matrix[j * order + i] = value
        }
        matrix[i * order + i] += 2 * Double(order).squareRoot()
    }
    return matrix
}

@Suite("Factors and eigenvalues")
struct FactorTests {
    /// More than two blocks of 256, the last one not full.
    @Test("a factor solves, leaves the lower triangle, and has the same bits for any number of threads")
    func factor() throws {
        let order = 600
        let matrix = randomMatrix(order: order, seed: 1)
        var numbers = SeededNumbers(seed: 2)
        let right = numbers.vector(order * 40)
        var found: [[Double]] = []
        for threads in [1, 2, 5] {
            var factor = matrix
            #expect(try TriangularFactor.factorize(&factor, order: order, threads: threads, check: {}))
            for i in 0..<order {
                for j in 0..<i where factor[i * order + j] != matrix[i * order + j] {
                    Issue.record("the lower triangle has changed at \(i), \(j)")
                }
            }
            var x = right
            TriangularFactor.solve(factor, order: order, transposed: true, &x, columns: 40, threads: threads)
            TriangularFactor.solve(factor, order: order, transposed: false, &x, columns: 40, threads: threads)
            found.append(x)
        }
        #expect(found[0] == found[1] && found[0] == found[2])
        let column = (0..<order).map { found[0][$0 * 40 + 7] }
        let product = (0..<order).map { i in dot(Array(matrix[i * order..<(i + 1) * order]), column) }
        #expect(relativeError(product, (0..<order).map { right[$0 * 40 + 7] }) < 1e-9)
    }

    @Test("a matrix that is not positive definite is refused")
    func indefinite() throws {
        var matrix = randomMatrix(order: 300, seed: 3)
        matrix[299 * 300 + 299] = -1
        #expect(try !TriangularFactor.factorize(&matrix, order: 300, threads: 2, check: {}))
    }

    /// Eigenvalues 2^-k in a basis that a reflection turns.
    @Test("the largest eigenvalues are those of a known matrix")
    func eigenvalues() throws {
        let order = 500
        var numbers = SeededNumbers(seed: 4)
        let normal = numbers.vector(order)
        let square = dot(normal, normal)
        func reflect(_ vector: [Double]) -> [Double] {
            let part = 2 * dot(normal, vector) / square
            return zip(vector, normal).map { $0 - part * $1 }
        }
        let found = try LeadingEigenvalues.of(order: order, count: 384, seed: 5, report: { _ in }) { vectors in
            var result = vectors
            for column in 0..<vectors.columns {
                let vector = reflect((0..<order).map { vectors.elements[$0 * vectors.columns + column] })
                let scaled = reflect(vector.enumerated().map { $1 * exp2(-Double($0) / 10) })
                for row in 0..<order { result.elements[row * vectors.columns + column] = scaled[row] }
            }
            return result
        }
        // Six blocks of 64.
        for k in 0..<80 { #expect(abs(found[k] / exp2(-Double(k) / 10) - 1) < 1e-6) }
    }

}
