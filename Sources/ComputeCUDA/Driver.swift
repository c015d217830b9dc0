import Glibc

/// The functions of libcuda that the backend calls, under their exported names and with the types of cuda.h: handles are
/// opaque pointers, GPU addresses have 64 bits, a result is 0 or an error code.
struct Driver: @unchecked Sendable {
    // Unchecked: function addresses that any thread may call.
    typealias Handle = OpaquePointer
    typealias Address = UInt64
    typealias Out<T> = UnsafeMutablePointer<T>
    typealias Parameters = UnsafeMutablePointer<UnsafeMutableRawPointer?>

    private let library: DynamicLibrary
    var name: String { library.path }

    let initialize: @convention(c) (UInt32) -> Int32
    let deviceCount: @convention(c) (Out<Int32>) -> Int32
    let deviceGet: @convention(c) (Out<Int32>, Int32) -> Int32
    let deviceName: @convention(c) (Out<CChar>, Int32, Int32) -> Int32
    let deviceAttribute: @convention(c) (Out<Int32>, Int32, Int32) -> Int32
    let driverVersion: @convention(c) (Out<Int32>) -> Int32
    let retainContext: @convention(c) (Out<Handle?>, Int32) -> Int32
    let setContext: @convention(c) (Handle?) -> Int32
    let memoryInfo: @convention(c) (Out<Int>, Out<Int>) -> Int32
    let allocate: @convention(c) (Out<Address>, Int) -> Int32
    let free: @convention(c) (Address) -> Int32
    let allocateHost: @convention(c) (Out<UnsafeMutableRawPointer?>, Int, UInt32) -> Int32
    let freeHost: @convention(c) (UnsafeMutableRawPointer?) -> Int32
    let copyToDevice: @convention(c) (Address, UnsafeRawPointer, Int, Handle?) -> Int32
    let copyToHost: @convention(c) (UnsafeMutableRawPointer, Address, Int, Handle?) -> Int32
    let copyWithin: @convention(c) (Address, Address, Int, Handle?) -> Int32
    let setWords: @convention(c) (Address, UInt32, Int, Handle?) -> Int32
    let createStream: @convention(c) (Out<Handle?>, UInt32) -> Int32
    let synchronize: @convention(c) (Handle?) -> Int32
    let createEvent: @convention(c) (Out<Handle?>, UInt32) -> Int32
    let destroyEvent: @convention(c) (Handle?) -> Int32
    let record: @convention(c) (Handle?, Handle?) -> Int32
    let waitForEvent: @convention(c) (Handle?) -> Int32
    let streamWaits: @convention(c) (Handle?, Handle?, UInt32) -> Int32
    let elapsedTime: @convention(c) (Out<Float>, Handle?, Handle?) -> Int32
    let loadModule:
        @convention(c) (Out<Handle?>, UnsafeRawPointer, UInt32, UnsafeRawPointer?, UnsafeRawPointer?) -> Int32
    let unloadModule: @convention(c) (Handle?) -> Int32
    let moduleFunction: @convention(c) (Out<Handle?>, Handle?, UnsafePointer<CChar>) -> Int32
    let setFunctionAttribute: @convention(c) (Handle?, Int32, Int32) -> Int32
    let launch:
        @convention(c) (
            Handle?, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, Handle?, Parameters?, Parameters?
        ) -> Int32
    let beginCapture: @convention(c) (Handle?, Int32) -> Int32
    let endCapture: @convention(c) (Handle?, Out<Handle?>) -> Int32
    let instantiate: @convention(c) (Out<Handle?>, Handle?, UInt64) -> Int32
    let launchGraph: @convention(c) (Handle?, Handle?) -> Int32
    let destroyGraph: @convention(c) (Handle?) -> Int32
    let destroyExecutable: @convention(c) (Handle?) -> Int32
    private let errorText: @convention(c) (Int32, Out<UnsafePointer<CChar>?>) -> Int32

    init(in places: LibraryPaths) throws(CUDAError) {
        let library = try DynamicLibrary(["libcuda.so.1"], purpose: "NVIDIA GPU driver", in: places)
        self.library = library
        initialize = try library.function("cuInit")
        deviceCount = try library.function("cuDeviceGetCount")
        deviceGet = try library.function("cuDeviceGet")
        deviceName = try library.function("cuDeviceGetName")
        deviceAttribute = try library.function("cuDeviceGetAttribute")
        driverVersion = try library.function("cuDriverGetVersion")
        retainContext = try library.function("cuDevicePrimaryCtxRetain")
        setContext = try library.function("cuCtxSetCurrent")
        memoryInfo = try library.function("cuMemGetInfo_v2")
        allocate = try library.function("cuMemAlloc_v2")
        free = try library.function("cuMemFree_v2")
        allocateHost = try library.function("cuMemHostAlloc")
        freeHost = try library.function("cuMemFreeHost")
        copyToDevice = try library.function("cuMemcpyHtoDAsync_v2")
        copyToHost = try library.function("cuMemcpyDtoHAsync_v2")
        copyWithin = try library.function("cuMemcpyDtoDAsync_v2")
        setWords = try library.function("cuMemsetD32Async")
        createStream = try library.function("cuStreamCreate")
        synchronize = try library.function("cuStreamSynchronize")
        createEvent = try library.function("cuEventCreate")
        destroyEvent = try library.function("cuEventDestroy_v2")
        record = try library.function("cuEventRecord")
        waitForEvent = try library.function("cuEventSynchronize")
        streamWaits = try library.function("cuStreamWaitEvent")
        elapsedTime = try library.function("cuEventElapsedTime")
        loadModule = try library.function("cuModuleLoadDataEx")
        unloadModule = try library.function("cuModuleUnload")
        moduleFunction = try library.function("cuModuleGetFunction")
        setFunctionAttribute = try library.function("cuFuncSetAttribute")
        launch = try library.function("cuLaunchKernel")
        beginCapture = try library.function("cuStreamBeginCapture_v2")
        endCapture = try library.function("cuStreamEndCapture")
        instantiate = try library.function("cuGraphInstantiateWithFlags")
        launchGraph = try library.function("cuGraphLaunch")
        destroyGraph = try library.function("cuGraphDestroy")
        destroyExecutable = try library.function("cuGraphExecDestroy")
        errorText = try library.function("cuGetErrorString")
    }

    /// Throws an error that names the call unless the result is 0.
    func check(_ result: Int32, _ call: @autoclosure () -> String) throws(CUDAError) {
        guard result != 0 else { return }
        var text: UnsafePointer<CChar>?
        _ = errorText(result, &text)
        throw .driver(call: call(), code: result, text: text.map { String(cString: $0) } ?? "unknown error")
    }
}
