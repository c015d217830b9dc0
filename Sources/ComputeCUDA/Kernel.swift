/// Kernels of one source, compiled and loaded together.
final class Module {
    private let driver: Driver
    private let handle: Driver.Handle?

    init(_ code: [UInt8], _ driver: Driver) throws(CUDAError) {
        self.driver = driver
        var handle: Driver.Handle?
        try driver.check(driver.loadModule(&handle, code, 0, nil, nil), "cuModuleLoadDataEx")
        self.handle = handle
    }

    deinit { _ = driver.unloadModule(handle) }

    func kernel(_ name: String) throws(CUDAError) -> Kernel {
        var function: Driver.Handle?
        try driver.check(driver.moduleFunction(&function, handle, name), "cuModuleGetFunction(\(name))")
        return Kernel(name: name, function: function, module: self)
    }
}

/// A loaded kernel.
struct Kernel {
    let name: String
    fileprivate let function: Driver.Handle?
    // Keeps the module, which owns the code, alive.
    private let module: Module

    init(name: String, function: Driver.Handle?, module: Module) {
        self.name = name
        self.function = function
        self.module = module
    }

    /// An argument of a kernel; cases are the types of its parameters.
    enum Argument {
        case address(UInt64)
        case int(Int)
        case long(Int)
        case float(Float)
        case double(Double)

        fileprivate var bits: UInt64 {
            switch self {
            case .address(let address): address
            case .int(let value): UInt64(UInt32(bitPattern: Int32(value)))
            case .long(let value): UInt64(bitPattern: Int64(value))
            case .float(let value): UInt64(value.bitPattern)
            case .double(let value): value.bitPattern
            }
        }
    }

    /// Block size of elementwise kernels.
    static let threads = 256
}

extension Device {
    /// Launches a kernel on the stream.
    func launch(
        _ kernel: Kernel, grid: (Int, Int), block: (Int, Int), shared: Int = 0, _ arguments: [Kernel.Argument]
    ) throws(CUDAError) {
        // Little endian: a shorter parameter is the beginning of its 64 bits.
        var bits = arguments.map(\.bits)
        let result = bits.withUnsafeMutableBytes { bytes in
            var addresses = arguments.indices.map { Optional(bytes.baseAddress! + 8 * $0) }
            return driver.launch(
                kernel.function, UInt32(grid.0), UInt32(grid.1), 1, UInt32(block.0), UInt32(block.1), 1, UInt32(shared),
                stream, &addresses, nil)
        }
        try driver.check(result, "cuLaunchKernel(\(kernel.name))")
    }

    /// Launches an elementwise kernel over a number of elements, with enough threads to keep the GPU busy.
    func launch(_ kernel: Kernel, over elements: Int, _ arguments: [Kernel.Argument]) throws(CUDAError) {
        let blocks = min((elements + Kernel.threads - 1) / Kernel.threads, 16 * multiprocessors)
        try launch(kernel, grid: (max(blocks, 1), 1), block: (Kernel.threads, 1), arguments)
    }

    /// Allows a kernel more than the default 48 kB of shared memory.
    func allowSharedMemory(_ bytes: Int, for kernel: Kernel) throws(CUDAError) {
        // CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES.
        try driver.check(driver.setFunctionAttribute(kernel.function, 8, Int32(bytes)), "cuFuncSetAttribute")
    }
}
