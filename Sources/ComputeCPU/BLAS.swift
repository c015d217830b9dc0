import COpenBLAS

/// The products of a layer, each on one thread: threads take whole tiles, and a product on one thread has the same bits on
/// whichever it runs.
enum BLAS {
    /// Sets OpenBLAS to one thread, once per process. With threads of its own, sgemv differed between thread counts, and products of
    /// this size took twice the time.
    static let configured: Void = {
        openblas_set_num_threads(1)
    }()

    static var name: String {
        _ = configured
        return
            "OpenBLAS \(String(cString: openblas_get_config()).split(separator: " ").dropFirst().first ?? "") kernel \(String(cString: openblas_get_corename()))"
    }

    typealias Matrix = UnsafePointer<Float>
    typealias MutableMatrix = UnsafeMutablePointer<Float>

    /// c (m, n) = a (m, k) · b (k, n), row-major; rows of a stand `stride` apart.
    static func multiply(_ a: Matrix, stride: Int, _ b: Matrix, into c: MutableMatrix, m: Int, n: Int, k: Int) {
        cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(m), blasint(n), blasint(k), 1, a, blasint(stride), b,
            blasint(n), 0, c,
            blasint(n))
    }

    /// c (m, n) = a (m, k) · bᵀ, where b is (n, k); rows of c stand `stride` apart.
    static func multiply(
        _ a: Matrix, transposed b: Matrix, into c: MutableMatrix, stride: Int, m: Int, n: Int, k: Int
    ) {
        cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasTrans, blasint(m), blasint(n), blasint(k), 1, a, blasint(k), b,
            blasint(k), 0, c,
            blasint(stride))
    }

    /// c (m, n) += aᵀ · b, where a is (k, m) and b is (k, n); rows of a stand `stride` apart. fresh: =.
    static func addProduct(
        transposed a: Matrix, stride: Int, _ b: Matrix, to c: MutableMatrix, fresh: Bool, m: Int, n: Int, k: Int
    ) {
        cblas_sgemm(
            CblasRowMajor, CblasTrans, CblasNoTrans, blasint(m), blasint(n), blasint(k), 1, a, blasint(stride), b,
            blasint(n), fresh ? 0 : 1, c, blasint(n))
    }
}
