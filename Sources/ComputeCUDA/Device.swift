import Glibc

/// A GPU: its context, the stream that orders all work, its memory and its kernels.
final class Device {
    let driver: Driver
    let compiler: Compiler
    private let cache: KernelCache
    private let context: Driver.Handle?
    let stream: Driver.Handle?
    let name: String
    /// Compute capability, such as 90.
    let architecture: Int
    let multiprocessors: Int
    /// Largest shared memory of a block [bytes].
    let sharedMemory: Int
    /// Such as 12040 for 12.4.
    let driverVersion: Int
    /// Total memory of the GPU [bytes].
    let totalMemory: Int
    /// Allocated memory now, and its peak [bytes].
    private(set) var allocatedBytes = 0
    private(set) var peakBytes = 0

    /// Opens the first GPU that the driver lists (CUDA_VISIBLE_DEVICES chooses).
    init(places: LibraryPaths, cache: KernelCache) throws(CUDAError) {
        let driver = try Device.foundDriver(in: places)
        self.driver = driver
        self.cache = cache
        var device: Int32 = 0
        try driver.check(driver.deviceGet(&device, 0), "cuDeviceGet")
        func attribute(_ number: Int32) throws(CUDAError) -> Int {
            var value: Int32 = 0
            try driver.check(driver.deviceAttribute(&value, number, device), "cuDeviceGetAttribute")
            return Int(value)
        }
        // Values of CUdevice_attribute.
        architecture = 10 * (try attribute(75)) + (try attribute(76))
        multiprocessors = try attribute(16)
        sharedMemory = try attribute(97)
        var text = [CChar](repeating: 0, count: 256)
        try driver.check(driver.deviceName(&text, Int32(text.count), device), "cuDeviceGetName")
        name = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        guard architecture >= 80 else { throw .unsupportedGPU(name: name, architecture: architecture) }
        var version: Int32 = 0
        try driver.check(driver.driverVersion(&version), "cuDriverGetVersion")
        driverVersion = Int(version)
        compiler = try Compiler(in: places)
        var context: Driver.Handle?
        try driver.check(driver.retainContext(&context, device), "cuDevicePrimaryCtxRetain")
        try driver.check(driver.setContext(context), "cuCtxSetCurrent")
        var (free, total) = (0, 0)
        try driver.check(driver.memoryInfo(&free, &total), "cuMemGetInfo")
        totalMemory = total
        // 1, CU_STREAM_NON_BLOCKING: does not wait for the default stream, which is unused.
        var stream: Driver.Handle?
        try driver.check(driver.createStream(&stream, 1), "cuStreamCreate")
        (self.context, self.stream) = (context, stream)
    }

    /// The driver, if it lists a GPU.
    private static func foundDriver(in places: LibraryPaths) throws(CUDAError) -> Driver {
        let driver = try Driver(in: places)
        var count: Int32 = 0
        // 100, CUDA_ERROR_NO_DEVICE, and what a driver without a GPU returns.
        guard driver.initialize(0) == 0, driver.deviceCount(&count) == 0, count > 0 else {
            throw .noDevice(driver: driver.name)
        }
        return driver
    }

    /// Throws if the GPU, the driver or the compiler is missing.
    static func check(in places: LibraryPaths) throws(CUDAError) {
        _ = try foundDriver(in: places)
        _ = try Compiler(in: places)
    }

    /// Makes the context current on the calling thread, which may be any.
    func makeCurrent() throws(CUDAError) {
        try driver.check(driver.setContext(context), "cuCtxSetCurrent")
    }

    /// Uninitialised memory of at least one byte.
    func allocate(_ bytes: Int, _ purpose: String) throws(CUDAError) -> CUDAMemory {
        var address: UInt64 = 0
        let result = driver.allocate(&address, max(bytes, 1))
        // 2, CUDA_ERROR_OUT_OF_MEMORY.
        if result == 2 {
            var (free, total) = (0, 0)
            _ = driver.memoryInfo(&free, &total)
            throw .outOfMemory(purpose: purpose, bytes: bytes, free: free)
        }
        try driver.check(result, "cuMemAlloc")
        allocatedBytes += bytes
        peakBytes = max(peakBytes, allocatedBytes)
        return CUDAMemory(self, address: address, bytes: bytes)
    }

    fileprivate func free(_ memory: CUDAMemory) {
        _ = driver.free(memory.address)
        allocatedBytes -= memory.bytes
    }

    /// A second stream, ordered with the first by events only.
    func makeStream() throws(CUDAError) -> Driver.Handle? {
        var stream: Driver.Handle?
        try driver.check(driver.createStream(&stream, 1), "cuStreamCreate")
        return stream
    }

    /// Waits until the stream's work is done.
    func synchronize() throws(CUDAError) {
        try driver.check(driver.synchronize(stream), "a kernel, or cuStreamSynchronize,")
    }

    /// Copies to the GPU in stream order; memory that is not pinned has been read when this returns.
    func copy(_ values: UnsafeRawBufferPointer, to address: UInt64) throws(CUDAError) {
        guard let base = values.baseAddress, !values.isEmpty else { return }
        try driver.check(driver.copyToDevice(address, base, values.count, stream), "cuMemcpyHtoDAsync")
    }

    func copy<Value>(_ values: [Value], to address: UInt64) throws(CUDAError) {
        do {
            try values.withUnsafeBytes { try copy($0, to: address) }
        } catch { throw error as! CUDAError }
    }

    /// Values from the GPU, after the stream's work is done.
    func read<Value: BitwiseCopyable>(_ address: UInt64, count: Int, zero: Value) throws(CUDAError) -> [Value] {
        var values = [Value](repeating: zero, count: count)
        let result = values.withUnsafeMutableBytes { bytes in
            bytes.isEmpty ? 0 : driver.copyToHost(bytes.baseAddress!, address, bytes.count, stream)
        }
        try driver.check(result, "cuMemcpyDtoHAsync")
        try synchronize()
        return values
    }

    /// Copies within the GPU.
    func copy(from: UInt64, to: UInt64, bytes: Int) throws(CUDAError) {
        try driver.check(driver.copyWithin(to, from, bytes, stream), "cuMemcpyDtoDAsync")
    }

    /// Sets `words` 32-bit words to zero.
    func clear(_ address: UInt64, words: Int) throws(CUDAError) {
        guard words > 0 else { return }
        try driver.check(driver.setWords(address, 0, words, stream), "cuMemsetD32Async")
    }

    /// The kernels of a source, compiled for this GPU unless they are cached.
    func module(_ text: String, options: [String] = []) throws(CUDAError) -> Module {
        let target = compiler.target(architecture)
        let all = ["--std=c++17"] + options
        let key = ([text, target.option, "\(compiler.version)"] + all).joined(separator: "\u{0}")
        let code = try cache.code(key: key) { () throws(CUDAError) in
            try compiler.compile(text, options: all, for: target)
        }
        return try Module(code, driver)
    }
}

/// GPU memory, freed with its last reference.
final class CUDAMemory {
    private let device: Device
    let address: UInt64
    let bytes: Int

    fileprivate init(_ device: Device, address: UInt64, bytes: Int) {
        self.device = device
        self.address = address
        self.bytes = bytes
    }

    deinit { device.free(self) }

    /// Address of the float at an offset.
    func float(_ place: Int) -> UInt64 { address + UInt64(4 * place) }
}
