/// Sources of the kernels, embedded in the binary and compiled for the GPU that is found.
enum KernelSources {
    static let network = channels + text(PackageResources.network_cu)
    /// All layers of a network in one kernel for each pass.
    static func fused(_ shape: FusedShape) -> String {
        let mma = text(PackageResources.mma_gradient_cu)
        let products =
            shape.isOfWarpgroups
            ? text(PackageResources.warpgroup_products_cu) + (shape.precision == .tf32 ? mma : "")
            : text(PackageResources.tile_products_cu) + mma
        return channels + text(PackageResources.tensor_cores_cu) + products + text(PackageResources.fused_cu)
    }
    static let common = text(PackageResources.common_cu)
    static let program = text(PackageResources.program_cu)

    private static let channels = text(PackageResources.channels_cu)

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// Compiler option for the channel count of `network`.
    static func option(channels: Int) -> String { "--define-macro=CHANNELS=\(channels)" }

    /// Compiler options for the shape of `fused`.
    static func options(channels: Int, _ shape: FusedShape) -> [String] {
        [
            option(channels: channels), "--define-macro=WIDTH=\(shape.network.width)",
            shape.isOfWarpgroups ? "--define-macro=WARPGROUPS=1" : "--define-macro=POINT_GROUPS=\(shape.groups)",
        ] + (shape.precision == .bf16x3 ? ["--define-macro=BF16X3=1"] : [])
    }
}
