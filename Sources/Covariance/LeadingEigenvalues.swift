import COpenBLAS
import Fields

/// The largest eigenvalues of a symmetric matrix by a block Krylov method with full reorthogonalization (Golub & Underwood 1977;
/// Musco & Musco 2015, arXiv:1504.05477): the Ritz values of the span of Ω, M Ω, M² Ω, ...
package enum LeadingEigenvalues {
    private static let block = 64

    /// - Parameters:
    ///   - count: at least so many vectors span the space; about the first half of the values are accurate.
    ///   - report: called with the share that is done.
    ///   - multiply: M times vectors.
    /// - Returns: descending.
    package static func of(
        order: Int, count: Int, seed: UInt64, report: (Double) throws -> Void, multiply: (Columns) -> Columns
    ) throws -> [Double] {
        let width = min(block, order)
        let blocks = min((count + width - 1) / width, order / width)
        let total = blocks * width
        var numbers = NormalNumbers(seed: seed)
        // Rows are vectors: (total, order).
        var basis = [Double](repeating: 0, count: total * order)
        var projected = [Double](repeating: 0, count: total * total)
        var next = (0..<width * order).map { _ in numbers.next() }
        for number in 0..<blocks {
            try report(Double(number) / Double(blocks))
            let done = number * width
            // Twice is enough (Parlett 1998, section 6.9).
            for _ in 0..<2 {
                removeComponents(&next, along: basis, rows: done, order, width)
                orthonormalize(&next, order, width)
            }
            basis.replaceSubrange(done * order..<(done + width) * order, with: next)
            let vectors = Columns(
                elements: transposed(next, rows: width, columns: order), count: order, columns: width)
            let product = transposed(multiply(vectors).elements, rows: order, columns: width)
            // T (total, total): the new block against all up to it.
            cblas_dgemm(
                CblasRowMajor, CblasNoTrans, CblasTrans, blasint(width), blasint(done + width), blasint(order), 1,
                product, blasint(order), basis, blasint(order), 0, &projected[done * total], blasint(total))
            next = product
        }
        return eigenvalues(&projected, order: total)
    }

    /// next −= next basisᵀ basis.
    private static func removeComponents(
        _ next: inout [Double], along basis: [Double], rows: Int, _ order: Int, _ width: Int
    ) {
        guard rows > 0 else { return }
        var parts = [Double](repeating: 0, count: width * rows)
        cblas_dgemm(
            CblasRowMajor, CblasNoTrans, CblasTrans, blasint(width), blasint(rows), blasint(order), 1, next,
            blasint(order), basis, blasint(order), 0, &parts, blasint(rows))
        cblas_dgemm(
            CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(width), blasint(order), blasint(rows), -1, parts,
            blasint(rows), basis, blasint(order), 1, &next, blasint(order))
    }

    /// Rows by Householder's reflections: (width, order) row-major is (order, width) by columns.
    private static func orthonormalize(_ vectors: inout [Double], _ order: Int, _ width: Int) {
        var (rows, columns, length, info) = (Int32(order), Int32(width), Int32(64 * width), Int32(0))
        var reflections = [Double](repeating: 0, count: width)
        var work = [Double](repeating: 0, count: 64 * width)
        dgeqrf_(&rows, &columns, &vectors, &rows, &reflections, &work, &length, &info)
        precondition(info == 0, "dgeqrf: argument \(-info) is wrong")
        dorgqr_(&rows, &columns, &columns, &vectors, &rows, &reflections, &work, &length, &info)
        precondition(info == 0, "dorgqr: argument \(-info) is wrong")
    }

    private static func transposed(_ vectors: [Double], rows: Int, columns: Int) -> [Double] {
        var result = [Double](repeating: 0, count: vectors.count)
        for row in 0..<rows {
            for column in 0..<columns { result[column * rows + row] = vectors[row * columns + column] }
        }
        return result
    }

    /// Of the lower triangle, by rows; descending.
    private static func eigenvalues(_ matrix: inout [Double], order: Int) -> [Double] {
        var values = [Double](repeating: 0, count: order)
        var (job, triangle) = (CChar(UInt8(ascii: "N")), CChar(UInt8(ascii: "U")))
        var (n, length, info) = (Int32(order), Int32(34 * order), Int32(0))
        var work = [Double](repeating: 0, count: 34 * order)
        dsyev_(&job, &triangle, &n, &matrix, &n, &values, &work, &length, &info)
        precondition(info == 0, "dsyev: \(info)")
        return values.reversed()
    }
}
