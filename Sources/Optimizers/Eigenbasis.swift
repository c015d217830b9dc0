import COpenBLAS

/// The running mean of G Gᵀ for one side of a weight matrix, and an estimate of its eigenvectors.
/// In double: eigenvalues span more than float32 resolves.
struct Eigenbasis: Sendable, Equatable {
    let order: Int
    /// P, (order, order), symmetric.
    private(set) var statistic: [Double]
    /// One eigenvector per row, (order, order): Q in LAPACK's column-major order.
    private(set) var vectors: [Double]

    /// The exact eigenvectors of a first P, the largest eigenvalue first: power iteration keeps that order.
    init(of statistic: [Double], order: Int) {
        self.order = order
        self.statistic = statistic
        var columns = statistic
        var eigenvalues = [Double](repeating: 0, count: order)
        var (job, triangle) = (CChar(UInt8(ascii: "V")), CChar(UInt8(ascii: "L")))
        var n = Int32(order)
        let info = LAPACK.withWorkspace { work, length, info in
            dsyev_(&job, &triangle, &n, &columns, &n, &eigenvalues, work, length, info)
        }
        precondition(info >= 0, "dsyev: argument \(-info) is wrong")
        vectors = (0..<order).reversed().flatMap { columns[$0 * order..<($0 + 1) * order] }
    }

    init(statistic: [Double], vectors: [Double], order: Int) {
        self.order = order
        self.statistic = statistic
        self.vectors = vectors
    }

    /// P = keep P + (1 − keep) G Gᵀ (or Gᵀ G).
    mutating func follow(_ product: [Double], keep: Double) {
        for k in statistic.indices { statistic[k] = keep * statistic[k] + (1 - keep) * product[k] }
    }

    /// One step of power iteration, Q = QR(P Q) (Vyas et al. 2024, algorithm 4).
    mutating func refresh() {
        vectors = Dense.product(vectors, statistic, rows: order, inner: order, columns: order)
        var reflections = [Double](repeating: 0, count: order)
        var n = Int32(order)
        var info = LAPACK.withWorkspace { work, length, info in
            dgeqrf_(&n, &n, &vectors, &n, &reflections, work, length, info)
        }
        precondition(info == 0, "dgeqrf: argument \(-info) is wrong")
        info = LAPACK.withWorkspace { work, length, info in
            dorgqr_(&n, &n, &n, &vectors, &n, &reflections, work, length, info)
        }
        precondition(info == 0, "dorgqr: argument \(-info) is wrong")
    }
}

/// Products of small row-major matrices.
enum Dense {
    /// OpenBLAS's own threads would make the bits depend on their number.
    static let configured: Void = openblas_set_num_threads(1)

    /// Which factor's transpose is what is stored.
    enum Transposed { case none, first, second }

    /// a (rows, inner) · b (inner, columns).
    static func product(
        _ a: [Double], _ b: [Double], transposing transposed: Transposed = .none, rows: Int, inner: Int, columns: Int
    ) -> [Double] {
        _ = configured
        precondition(a.count == rows * inner && b.count == inner * columns)
        return [Double](unsafeUninitializedCapacity: rows * columns) { c, count in
            cblas_dgemm(
                CblasRowMajor, transposed == .first ? CblasTrans : CblasNoTrans,
                transposed == .second ? CblasTrans : CblasNoTrans, blasint(rows), blasint(columns), blasint(inner), 1,
                a, blasint(transposed == .first ? rows : inner), b, blasint(transposed == .second ? inner : columns), 0,
                c.baseAddress, blasint(columns))
            count = rows * columns
        }
    }
}

/// Calls of LAPACK with the workspace that they ask for when called with a length of −1.
private enum LAPACK {
    /// - Returns: info.
    static func withWorkspace(
        _ call: (UnsafeMutablePointer<Double>, UnsafePointer<Int32>, UnsafeMutablePointer<Int32>) -> Void
    ) -> Int32 {
        var best = 0.0
        var length: Int32 = -1
        var info: Int32 = 0
        call(&best, &length, &info)
        length = Int32(best)
        var work = [Double](repeating: 0, count: max(1, Int(length)))
        call(&work, &length, &info)
        return info
    }
}
