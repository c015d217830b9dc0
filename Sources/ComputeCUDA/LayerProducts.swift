import Compute

/// Matrix products of hidden layers in the chosen precision. All matrices are contiguous.
///
/// bf16x3: x = x₁ + x₂ in bfloat16, and x y ≈ x₁ y₁ + x₁ y₂ + x₂ y₁, three products summed in single precision; the term
/// left out is 2⁻¹⁶ of x y.
final class LayerProducts {
    private let products: MatrixProducts
    private let precision: Precision
    private let device: Device
    private let split: Kernel
    /// Memory for the parts of both factors, borrowed from the tile.
    var scratch: (a: CUDAMemory, b: CUDAMemory)?

    init(_ products: MatrixProducts, _ precision: Precision, _ device: Device, common: Module) throws(CUDAError) {
        self.products = products
        self.precision = precision
        self.device = device
        split = try common.kernel("split")
    }

    private typealias Matrix = MatrixProducts.Matrix

    /// c (m, n) = a (m, k) · b, where b is (k, n), or (n, k) and transposed.
    func multiply(_ a: UInt64, _ b: UInt64, bTransposed: Bool = false, into c: UInt64, m: Int, n: Int, k: Int)
        throws(CUDAError)
    {
        let strideB = bTransposed ? k : n
        let terms = try terms(a, m * k, b, k * n)
        for (number, term) in terms.enumerated() {
            try products.multiply(
                Matrix(address: term.a, stride: k), Matrix(address: term.b, stride: strideB), bTransposed: bTransposed,
                into: Matrix(address: c, stride: n), adding: number > 0, m: m, n: n, k: k, precision: precision)
        }
    }

    /// c_s (m, n) += a_sᵀ · b_s for slices s, where a_s is (k, m) and b_s (k, n); c_s are `sumStride` apart.
    func addProducts(
        transposed a: UInt64, _ b: UInt64, to c: UInt64, sumStride: Int, slices: Int, m: Int, n: Int, k: Int
    ) throws(CUDAError) {
        for term in try terms(a, slices * k * m, b, slices * k * n) {
            try products.addProducts(
                transposed: Matrix(address: term.a, stride: m), Matrix(address: term.b, stride: n),
                to: Matrix(address: c, stride: n), sumStride: sumStride, slices: slices, m: m, n: n, k: k,
                precision: precision)
        }
    }

    /// The pairs of parts whose products add up to a b.
    private func terms(_ a: UInt64, _ countA: Int, _ b: UInt64, _ countB: Int) throws(CUDAError) -> [(
        a: UInt64, b: UInt64
    )] {
        guard precision == .bf16x3 else { return [(a, b)] }
        guard let scratch else { preconditionFailure("no scratch memory for the parts") }
        precondition(4 * countA + 16 <= scratch.a.bytes && 4 * countB + 16 <= scratch.b.bytes)
        let (highA, highB) = (scratch.a.address, scratch.b.address)
        // Each part is aligned to 16 bytes, as tensor cores require.
        let (lowA, lowB) = (highA + UInt64(2 * countA + 15) / 16 * 16, highB + UInt64(2 * countB + 15) / 16 * 16)
        for (from, count, high, low) in [(a, countA, highA, lowA), (b, countB, highB, lowB)] {
            try device.launch(split, over: count, [.address(from), .long(count), .address(high), .address(low)])
        }
        return [(highA, highB), (highA, lowB), (lowA, highB)]
    }
}
