import Glibc

/// Which kernels take all layers of a network in one.
public enum LayerFusion: String, CaseIterable, Sendable {
    /// None: every layer by itself, to compare.
    case none = "0"
    /// Those of every GPU, with products of warps.
    case warps = "mma"
    /// Where the GPU is a Hopper and the network is 64 or 128 wide those with products of warpgroups.
    case warpgroups = "wgmma"

    /// What PINN_CUDA_FUSED says.
    static func wanted() throws(CUDAError) -> LayerFusion {
        guard let text = getenv("PINN_CUDA_FUSED").map({ String(cString: $0) }), !text.isEmpty else { return .warps }
        guard let known = LayerFusion(rawValue: text) else { throw .badFusion(text) }
        return known
    }
}
