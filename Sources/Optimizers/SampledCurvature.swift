import COpenBLAS
import Compute
import Fields
import Threads

/// The curvature JᵀJ of some rows, by J Jᵀ in their space: with fewer rows than parameters the smaller of the two (the identity of Woodbury).
struct SampledCurvature {
    private let jacobian: any Jacobian
    /// The lower triangle of J Jᵀ, by rows, in double: λ goes down to 1e-8 of its mean diagonal.
    private let gram: [Double]
    private var count: Int { jacobian.rowCount }
    /// The mean of the diagonal of J Jᵀ.
    let meanDiagonal: Double

    init(_ jacobian: any Jacobian) throws {
        self.jacobian = jacobian
        let gram = try jacobian.gram()
        let count = jacobian.rowCount
        self.gram = gram
        meanDiagonal = (0..<count).reduce(0) { $0 + gram[$1 * count + $1] } / Double(max(count, 1))
    }

    /// Cholesky factors of J Jᵀ + λ for several λ; nil where that is not positive definite in double.
    func factors(dampings: [Double], threads: Int) -> [CholeskyFactor?] {
        // Unchecked: a worker writes its own.
        nonisolated(unsafe) let found = UnsafeMutablePointer<CholeskyFactor?>.allocate(capacity: dampings.count)
        found.initialize(repeating: nil, count: dampings.count)
        defer {
            found.deinitialize(count: dampings.count)
            found.deallocate()
        }
        let workers = min(max(threads, 1), dampings.count)
        let (gram, count) = (gram, count)
        ThreadTeam.computing.perform(iterations: workers) { worker in
            for k in stride(from: worker, to: dampings.count, by: workers) {
                found[k] = CholeskyFactor(gram, order: count, adding: dampings[k])
            }
        }
        return Array(UnsafeBufferPointer(start: found, count: dampings.count))
    }

    /// (JᵀJ + λ)⁻¹ Jᵀ w = Jᵀ (J Jᵀ + λ)⁻¹ w.
    func step(_ weights: [Double], _ factor: CholeskyFactor) throws -> [Double] {
        let y = factor.solved(weights)
        // In two parts: what single precision leaves of one is lost in the differences of large numbers.
        let high = y.map(Float.init)
        let low = zip(y, high).map { Float($0 - Double($1)) }
        return zip(try jacobian.transposedProduct(high), try jacobian.transposedProduct(low)).map {
            Double($0) + Double($1)
        }
    }

    /// J x.
    func product(_ x: [Double]) throws -> [Double] { try jacobian.product(x.map(Float.init)).map(Double.init) }
}

/// The Cholesky factor L of a symmetric matrix.
struct CholeskyFactor: Sendable {
    private let order: Int
    /// The lower triangle, by rows.
    private var elements: [Double]

    /// - Parameters:
    ///   - matrix: its lower triangle, by rows.
    ///   - shift: added to its diagonal.
    /// - Returns: nil where it is not positive definite in double.
    init?(_ matrix: [Double], order: Int, adding shift: Double) {
        _ = Dense.configured
        self.order = order
        elements = matrix
        for k in 0..<order { elements[k * order + k] += shift }
        // The lower triangle by rows is the upper one by columns.
        var (triangle, n, info) = (CChar(UInt8(ascii: "U")), Int32(order), Int32(0))
        dpotrf_(&triangle, &n, &elements, &n, &info)
        guard info == 0 else { return nil }
    }

    /// (L Lᵀ)⁻¹ x.
    func solved(_ x: [Double]) -> [Double] {
        var x = x
        let n = blasint(order)
        cblas_dtrsv(CblasRowMajor, CblasLower, CblasNoTrans, CblasNonUnit, n, elements, n, &x, 1)
        cblas_dtrsv(CblasRowMajor, CblasLower, CblasTrans, CblasNonUnit, n, elements, n, &x, 1)
        return x
    }
}
