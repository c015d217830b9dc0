import Glibc

/// Which form of fused kernels computes all layers of a network at once.
public enum LayerFusion: String, CaseIterable, Sendable {
    /// None: layer by layer, for comparison.
    case none = "0"
    /// Warp products (mma), on every GPU.
    case warps = "mma"
    /// Warpgroup products (wgmma), on Hopper and for widths of 64 and 128; else those of `mma`.
    case warpgroups = "wgmma"

    /// The form that PINN_CUDA_FUSED asks for.
    static func wanted() throws(CUDAError) -> LayerFusion {
        guard let text = getenv("PINN_CUDA_FUSED").map({ String(cString: $0) }), !text.isEmpty else { return .warps }
        guard let known = LayerFusion(rawValue: text) else { throw .badFusion(text) }
        return known
    }
}
