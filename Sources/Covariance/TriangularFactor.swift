import COpenBLAS
import Synchronization
import Threads

/// The upper triangle of a row-major matrix as a Cholesky factor U, A = Uᵀ U, and products with its inverse.
///
/// In blocks of fixed size, dealt to threads: the bits do not depend on their number.
package enum TriangularFactor {
    private static let block = 256
    private static let configured: Void = openblas_set_num_threads(1)

    /// Replaces the upper triangle of A by U.
    ///
    /// - Parameter check: throws where the work is to stop.
    /// - Returns: false where A is not positive definite in double.
    package static func factorize(
        _ matrix: inout [Double], order: Int, threads: Int, check: () throws -> Void
    ) throws -> Bool {
        _ = configured
        return try matrix.withUnsafeMutableBufferPointer { buffer in
            let a = Places(start: buffer.baseAddress!, order: order)
            for first in stride(from: 0, to: order, by: block) {
                try check()
                let end = min(first + block, order)
                // The upper triangle by rows is the lower one by columns.
                var (triangle, n, stride, info) = (
                    CChar(UInt8(ascii: "L")), Int32(end - first), Int32(order), Int32(0)
                )
                dpotrf_(&triangle, &n, a.at(first, first), &stride, &info)
                guard info == 0 else { return false }
                eliminate(a, first..<end, threads: threads)
            }
            return true
        }
    }

    /// B = U⁻¹ B, or U⁻ᵀ B, for B (order, columns) row-major.
    package static func solve(
        _ matrix: [Double], order: Int, transposed: Bool, _ vectors: inout [Double], columns: Int, threads: Int
    ) {
        _ = configured
        let width = 32
        let parts = (columns + width - 1) / width
        matrix.withUnsafeBufferPointer { matrix in
            vectors.withUnsafeMutableBufferPointer { vectors in
                // Unchecked: a worker writes columns of its own.
                nonisolated(unsafe) let (u, b) = (matrix.baseAddress!, vectors.baseAddress!)
                let next = Atomic<Int>(0)
                ThreadTeam.computing.perform(iterations: min(threads, parts)) { _ in
                    while true {
                        let part = next.add(1, ordering: .relaxed).oldValue
                        guard part < parts else { return }
                        let count = min(width, columns - part * width)
                        cblas_dtrsm(
                            CblasRowMajor, CblasLeft, CblasUpper, transposed ? CblasTrans : CblasNoTrans, CblasNonUnit,
                            blasint(order), blasint(count), 1, u, blasint(order), b + part * width, blasint(columns))
                    }
                }
            }
        }
    }

    // Unchecked: a worker writes a block of its own.
    private struct Places: @unchecked Sendable {
        let start: UnsafeMutablePointer<Double>
        let order: Int
        func at(_ row: Int, _ column: Int) -> UnsafeMutablePointer<Double> { start + row * order + column }
    }

    /// U₁₂ = U₁₁⁻ᵀ A₁₂ to the right of a factored block of the diagonal, and A₂₂ −= U₁₂ᵀ U₁₂ below it.
    private static func eliminate(_ a: Places, _ rows: Range<Int>, threads: Int) {
        let n = blasint(a.order)
        let panels = stride(from: rows.upperBound, to: a.order, by: block).map { $0..<min($0 + block, a.order) }
        deal(panels.count, threads) { number in
            cblas_dtrsm(
                CblasRowMajor, CblasLeft, CblasUpper, CblasTrans, CblasNonUnit, blasint(rows.count),
                blasint(panels[number].count), 1, a.at(rows.lowerBound, rows.lowerBound), n,
                a.at(rows.lowerBound, panels[number].lowerBound), n)
        }
        deal(panels.count, threads) { number in
            let (first, end) = (panels[number].lowerBound, panels[number].upperBound)
            // Of the block on the diagonal only the upper triangle: the lower one holds JᵀJ.
            cblas_dsyrk(
                CblasRowMajor, CblasUpper, CblasTrans, blasint(end - first), blasint(rows.count), -1,
                a.at(rows.lowerBound, first), n, 1, a.at(first, first), n)
            guard end < a.order else { return }
            cblas_dgemm(
                CblasRowMajor, CblasTrans, CblasNoTrans, blasint(end - first), blasint(a.order - end),
                blasint(rows.count), -1, a.at(rows.lowerBound, first), n, a.at(rows.lowerBound, end), n, 1,
                a.at(first, end), n)
        }
    }

    private static func deal(_ count: Int, _ threads: Int, _ body: @escaping @Sendable (Int) -> Void) {
        let next = Atomic<Int>(0)
        ThreadTeam.computing.perform(iterations: min(threads, count)) { _ in
            while true {
                let number = next.add(1, ordering: .relaxed).oldValue
                guard number < count else { return }
                body(number)
            }
        }
    }
}
