/// The texts of the kernels, which travel inside the binary and are compiled for the card that is found.
enum KernelTexts {
    static let network = channels + text(PackageResources.network_cu)
    static let fused =
        channels + text(PackageResources.tensor_cores_cu) + text(PackageResources.tile_products_cu)
        + text(PackageResources.fused_cu)
    static let common = text(PackageResources.common_cu)
    static let program = text(PackageResources.program_cu)

    private static let channels = text(PackageResources.channels_cu)

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// The option that says how many channels `network` is to carry.
    static func option(channels: Int) -> String { "--define-macro=CHANNELS=\(channels)" }

    /// The options that say what `fused` is to be made for.
    static func options(channels: Int, _ shape: FusedShape) -> [String] {
        [
            option(channels: channels), "--define-macro=WIDTH=\(shape.network.width)",
            "--define-macro=POINT_GROUPS=\(shape.groups)",
        ] + (shape.precision == .bf16x3 ? ["--define-macro=BF16X3=1"] : [])
    }
}
