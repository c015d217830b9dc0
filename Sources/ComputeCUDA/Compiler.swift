import Glibc

/// NVRTC: compiles CUDA C++ source for one GPU architecture.
struct Compiler: @unchecked Sendable {
    // Unchecked: function addresses that any thread may call.
    private typealias Handle = OpaquePointer
    private typealias Out<T> = UnsafeMutablePointer<T>

    /// Machine code (cubin), or PTX for the driver to compile where the GPU is newer than NVRTC.
    struct Target: Sendable, Equatable {
        let option: String
        let isCode: Bool
    }

    private let library: DynamicLibrary
    let version: (major: Int, minor: Int)
    /// Compute capabilities that this NVRTC supports, such as 90.
    let architectures: [Int]
    private let create:
        @convention(c) (
            Out<Handle?>, UnsafePointer<CChar>, UnsafePointer<CChar>, Int32, UnsafeRawPointer?, UnsafeRawPointer?
        ) -> Int32
    private let compileProgram: @convention(c) (Handle?, Int32, UnsafePointer<UnsafePointer<CChar>?>) -> Int32
    private let destroy: @convention(c) (Out<Handle?>) -> Int32
    private let logSize: @convention(c) (Handle?, Out<Int>) -> Int32
    private let log: @convention(c) (Handle?, Out<CChar>) -> Int32
    private let codeSize: @convention(c) (Handle?, Out<Int>) -> Int32
    private let code: @convention(c) (Handle?, Out<CChar>) -> Int32
    private let textSize: @convention(c) (Handle?, Out<Int>) -> Int32
    private let text: @convention(c) (Handle?, Out<CChar>) -> Int32

    init(in places: LibraryPaths) throws(CUDAError) {
        library = try DynamicLibrary(
            ["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"], purpose: "CUDA run-time compiler (NVRTC)",
            in: places)
        create = try library.function("nvrtcCreateProgram")
        compileProgram = try library.function("nvrtcCompileProgram")
        destroy = try library.function("nvrtcDestroyProgram")
        logSize = try library.function("nvrtcGetProgramLogSize")
        log = try library.function("nvrtcGetProgramLog")
        codeSize = try library.function("nvrtcGetCUBINSize")
        code = try library.function("nvrtcGetCUBIN")
        textSize = try library.function("nvrtcGetPTXSize")
        text = try library.function("nvrtcGetPTX")
        let getVersion: @convention(c) (Out<Int32>, Out<Int32>) -> Int32 = try library.function("nvrtcVersion")
        let getCount: @convention(c) (Out<Int32>) -> Int32 = try library.function("nvrtcGetNumSupportedArchs")
        let getArchitectures: @convention(c) (Out<Int32>) -> Int32 = try library.function("nvrtcGetSupportedArchs")
        var (major, minor, count): (Int32, Int32, Int32) = (0, 0, 0)
        try Compiler.check(getVersion(&major, &minor), "nvrtcVersion")
        try Compiler.check(getCount(&count), "nvrtcGetNumSupportedArchs")
        var known = [Int32](repeating: 0, count: Int(count))
        try Compiler.check(getArchitectures(&known), "nvrtcGetSupportedArchs")
        version = (Int(major), Int(minor))
        architectures = known.map(Int.init).sorted()
    }

    /// Target for a compute capability.
    func target(_ architecture: Int) -> Target {
        if architectures.contains(architecture) {
            // Instructions that only Hopper has (wgmma) need the architecture-specific target.
            let suffix = architecture == 90 ? "a" : ""
            return Target(option: "--gpu-architecture=sm_\(architecture)\(suffix)", isCode: true)
        }
        let closest = architectures.last { $0 <= architecture } ?? architectures.last ?? 80
        return Target(option: "--gpu-architecture=compute_\(closest)", isCode: false)
    }

    /// Machine code, or zero-terminated PTX.
    func compile(_ source: String, options: [String], for target: Target) throws(CUDAError) -> [UInt8] {
        try build(source, options: options, for: target).code
    }

    /// As `compile`, with the compiler's log.
    func build(_ source: String, options: [String], for target: Target) throws(CUDAError) -> (
        code: [UInt8], log: String
    ) {
        var program: Handle?
        try Compiler.check(create(&program, source, "pinn.cu", 0, nil, nil), "nvrtcCreateProgram")
        defer { _ = destroy(&program) }
        let arguments = ([target.option] + options).map { strdup($0) }
        defer { for argument in arguments { Glibc.free(argument) } }
        let pointers = arguments.map { UnsafePointer<CChar>($0) }
        guard compileProgram(program, Int32(pointers.count), pointers) == 0 else {
            // The compiler's log on one line.
            let lines = messages(of: program).split(separator: "\n").prefix(8)
            throw .compilation(log: lines.isEmpty ? "no log" : lines.joined(separator: " | "))
        }
        let made =
            target.isCode
            ? try bytes(of: program, codeSize, code, "nvrtcGetCUBIN")
            : try bytes(of: program, textSize, text, "nvrtcGetPTX")
        return (made, messages(of: program))
    }

    private func bytes(
        of program: Handle?, _ size: @convention(c) (Handle?, Out<Int>) -> Int32,
        _ get: @convention(c) (Handle?, Out<CChar>) -> Int32, _ call: String
    ) throws(CUDAError) -> [UInt8] {
        var count = 0
        try Compiler.check(size(program, &count), call)
        var bytes = [CChar](repeating: 0, count: count)
        try Compiler.check(get(program, &bytes), call)
        return bytes.map(UInt8.init(bitPattern:))
    }

    private func messages(of program: Handle?) -> String {
        var count = 0
        guard logSize(program, &count) == 0, count > 1 else { return "" }
        var text = [CChar](repeating: 0, count: count)
        guard log(program, &text) == 0 else { return "" }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    private static func check(_ status: Int32, _ call: String) throws(CUDAError) {
        guard status == 0 else { throw .compiler(call: call, status: status) }
    }
}
