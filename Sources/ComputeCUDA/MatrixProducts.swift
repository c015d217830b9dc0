import Compute
import Glibc

/// cuBLAS on one stream. Matrices here are row-major and cuBLAS's are column-major, so it computes the transpose of everything.
final class MatrixProducts {
    private typealias Handle = OpaquePointer
    private typealias Out<T> = UnsafeMutablePointer<T>
    private typealias GemmEx =
        @convention(c) (
            Handle?, Int32, Int32, Int32, Int32, Int32, UnsafeRawPointer, UInt64, Int32, Int32, UInt64, Int32, Int32,
            UnsafeRawPointer, UInt64, Int32, Int32, Int32, Int32
        ) -> Int32
    private typealias GemmStridedBatchedEx =
        @convention(c) (
            Handle?, Int32, Int32, Int32, Int32, Int32, UnsafeRawPointer, UInt64, Int32, Int32, Int64, UInt64, Int32,
            Int32, Int64, UnsafeRawPointer, UInt64, Int32, Int32, Int64, Int32, Int32, Int32
        ) -> Int32

    /// A matrix on the GPU: floats from an address, rows `stride` apart.
    struct Matrix {
        let address: UInt64
        let stride: Int
    }

    /// Constants of library_types.h and cublas_api.h.
    private enum Constant {
        static let float32: Int32 = 0
        static let bfloat16: Int32 = 14
        static let compute32: Int32 = 68
        static let computeFastTF32: Int32 = 77
        static let defaultAlgorithm: Int32 = -1
    }

    private let library: DynamicLibrary
    private var handle: Handle?
    private let gemm: GemmEx
    private let batchedGemm: GemmStridedBatchedEx
    private let destroyHandle: @convention(c) (Handle?) -> Int32
    private let workspace: CUDAMemory
    let version: Int

    /// Opens cuBLAS from one of the folders, in the thread's current context.
    init(in places: LibraryPaths, device: Device) throws(CUDAError) {
        library = try MatrixProducts.library(in: places)
        gemm = try library.function("cublasGemmEx")
        batchedGemm = try library.function("cublasGemmStridedBatchedEx")
        destroyHandle = try library.function("cublasDestroy_v2")
        let create: @convention(c) (Out<Handle?>) -> Int32 = try library.function("cublasCreate_v2")
        let setStream: @convention(c) (Handle?, OpaquePointer?) -> Int32 = try library.function("cublasSetStream_v2")
        let setWorkspace: @convention(c) (Handle?, UInt64, Int) -> Int32 = try library.function("cublasSetWorkspace_v2")
        let getVersion: @convention(c) (Handle?, Out<Int32>) -> Int32 = try library.function("cublasGetVersion_v2")
        // A workspace of our own: the same bits with a stream as with a graph of it, and no allocation during capture. The
        // size is what NVIDIA advises for Hopper.
        workspace = try device.allocate(32 << 20, "cuBLAS")
        var number: Int32 = 0
        try MatrixProducts.check(create(&handle), "cublasCreate")
        try MatrixProducts.check(setStream(handle, device.stream), "cublasSetStream")
        try MatrixProducts.check(setWorkspace(handle, workspace.address, workspace.bytes), "cublasSetWorkspace")
        try MatrixProducts.check(getVersion(handle, &number), "cublasGetVersion")
        version = Int(number)
    }

    deinit { _ = destroyHandle(handle) }

    private static func library(in places: LibraryPaths) throws(CUDAError) -> DynamicLibrary {
        try DynamicLibrary(
            ["libcublas.so.13", "libcublas.so.12", "libcublas.so"], purpose: "CUDA matrix library (cuBLAS)",
            in: places)
    }

    /// Throws if cuBLAS is missing.
    static func check(in places: LibraryPaths) throws(CUDAError) { _ = try library(in: places) }

    /// c (m, n) = a (m, k) · b (k, n), or added to it, where b may be given transposed.
    func multiply(
        _ a: Matrix, _ b: Matrix, bTransposed: Bool = false, into c: Matrix, adding: Bool = false, m: Int,
        n: Int, k: Int, precision: Precision
    ) throws(CUDAError) {
        var alpha: Float = 1
        var beta: Float = adding ? 1 : 0
        let type = precision == .bf16x3 ? Constant.bfloat16 : Constant.float32
        let compute = precision == .tf32 ? Constant.computeFastTF32 : Constant.compute32
        try MatrixProducts.check(
            gemm(
                handle, bTransposed ? 1 : 0, 0, Int32(n), Int32(m), Int32(k), &alpha, b.address, type,
                Int32(b.stride), a.address, type, Int32(a.stride), &beta, c.address, Constant.float32, Int32(c.stride),
                compute, Constant.defaultAlgorithm), "cublasGemmEx")
    }

    /// c_s (m, n) += a_sᵀ · b_s for slices s, where a_s is (k, m) and b_s (k, n), one after the other; c_s are `sumStride` apart.
    func addProducts(
        transposed a: Matrix, _ b: Matrix, to c: Matrix, sumStride: Int, slices: Int, m: Int, n: Int, k: Int,
        precision: Precision
    ) throws(CUDAError) {
        var one: Float = 1
        let type = precision == .bf16x3 ? Constant.bfloat16 : Constant.float32
        let compute = precision == .tf32 ? Constant.computeFastTF32 : Constant.compute32
        try MatrixProducts.check(
            batchedGemm(
                handle, 0, 1, Int32(n), Int32(m), Int32(k), &one, b.address, type, Int32(b.stride), Int64(k * b.stride),
                a.address, type, Int32(a.stride), Int64(k * a.stride), &one, c.address, Constant.float32,
                Int32(c.stride), Int64(sumStride), Int32(slices), compute, Constant.defaultAlgorithm),
            "cublasGemmStridedBatchedEx")
    }

    private static func check(_ status: Int32, _ call: String) throws(CUDAError) {
        guard status == 0 else { throw .blas(call: call, status: status) }
    }
}
