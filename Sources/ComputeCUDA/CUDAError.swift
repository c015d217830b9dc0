import Fields

/// An error of the GPU, its driver or CUDA's libraries.
public enum CUDAError: Failure {
    case missingLibrary(purpose: String, names: [String], places: LibraryPaths, reason: String?)
    case missingFunction(String, library: String)
    case noDevice(driver: String)
    /// A failed call of the driver.
    case driver(call: String, code: Int32, text: String)
    case outOfMemory(purpose: String, bytes: Int, free: Int)
    case blas(call: String, status: Int32)
    case compiler(call: String, status: Int32)
    case compilation(log: String)
    case unsupportedGPU(name: String, architecture: Int)
    case badMemoryLimit(String)
    case badFusion(String)

    public var kind: FailureKind {
        switch self {
        case .missingLibrary, .noDevice, .driver, .outOfMemory, .blas, .unsupportedGPU: .unavailable
        case .missingFunction, .compiler, .compilation: .software
        case .badMemoryLimit, .badFusion: .usage
        }
    }

    public var explanation: String {
        switch self {
        case .missingLibrary(let purpose, let names, let places, let reason):
            "--backend cuda: no \(purpose): looked for \(names.joined(separator: ", ")) in \(places.description)\(reason.map { " (\($0))" } ?? ""); install it, set PINN_CUDA_PATH to its folder, or use --backend cpu"
        case .missingFunction(let name, let library):
            "\(library) has no function \(name): it is too old; CUDA 12.0 or later is needed"
        case .noDevice(let driver):
            "--backend cuda: \(driver) finds no GPU: check nvidia-smi and CUDA_VISIBLE_DEVICES, or use --backend cpu"
        case .driver(let call, let code, let text):
            "CUDA: \(call) failed with \(code), \(text): check the GPU with nvidia-smi, or use --backend cpu"
        case .outOfMemory(let purpose, let bytes, let free):
            "CUDA: cannot allocate \(bytes >> 20) MiB for \(purpose), \(free >> 20) MiB are free on the GPU: stop other programs on it, or lower PINN_CUDA_MEMORY_MIB"
        case .blas(let call, let status): "cuBLAS: \(call) failed with status \(status); use --backend cpu"
        case .compiler(let call, let status): "NVRTC: \(call) failed with status \(status)"
        case .compilation(let log): "NVRTC cannot compile a kernel: \(log)"
        case .unsupportedGPU(let name, let architecture):
            "--backend cuda: \(name) has compute capability \(architecture / 10).\(architecture % 10), 8.0 is needed; use --backend cpu"
        case .badMemoryLimit(let text):
            "PINN_CUDA_MEMORY_MIB=\(quoted(text)): expected a whole number of mebibytes, at least 256"
        case .badFusion(let text):
            "PINN_CUDA_FUSED=\(quoted(text)): expected one of \(LayerFusion.allCases.map(\.rawValue).joined(separator: ", "))"
        }
    }
}
