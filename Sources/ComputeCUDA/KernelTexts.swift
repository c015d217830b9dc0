/// The texts of the kernels, which travel inside the binary and are compiled for the card that is found.
enum KernelTexts {
    static let network = text(PackageResources.network_cu)
    static let common = text(PackageResources.common_cu)
    static let program = text(PackageResources.program_cu)

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// The option that says how many channels `network` is to carry.
    static func option(channels: Int) -> String { "--define-macro=CHANNELS=\(channels)" }
}
