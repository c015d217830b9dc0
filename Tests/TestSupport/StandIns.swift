import ComputeCUDA
import Foundation

/// Stand-ins for CUDA's libraries (StandIns/stand_ins.cpp), built by the tests: the backend's memory, launches and kernels run on
/// the host.
public struct StandIns: Sendable {
    public let places: LibraryPaths
    /// Folder of compiled stand-ins and kernels, kept for the next run of the tests under a hash of their sources.
    public let cacheFolder: String
    private let setOrder: @convention(c) (Int32) -> Void
    private let countLaunches: @convention(c) () -> Int

    /// The stand-ins; nil without a C++ compiler.
    public static let shared: StandIns? = try? StandIns()

    /// The order in which threads and blocks run: 0 ascending, 1 descending, 2 shuffled. With 1, asynchronous copies and products
    /// complete at once, otherwise when they are waited for. No result may depend on it.
    public func setThreadOrder(_ order: Int32) { setOrder(order) }
    /// Number of kernels and products launched so far by all tests.
    public var launches: Int { countLaunches() }

    private struct NoCompiler: Error {}
    private struct BrokenSource: Error { let messages: String }

    private init() throws {
        guard let compiler = Tool.installed("clang++") ?? Tool.installed("g++") else { throw NoCompiler() }
        let folder = "\(Places.repository)/Tests/TestSupport/StandIns"
        let header = "\(folder)/emulated_device.h"
        let texts = try ["stand_ins.cpp", "emulated_device.h"].map {
            try String(contentsOfFile: "\(folder)/\($0)", encoding: .utf8)
        }
        var sum: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in (texts.joined() + compiler.path + header).utf8 { sum = (sum ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let built = NSTemporaryDirectory() + "iceshelfpinn-stand-ins-" + String(sum, radix: 16)
        let library = "\(built)/libcuda.so.1"
        if !FileManager.default.fileExists(atPath: library) {
            try FileManager.default.createDirectory(atPath: built, withIntermediateDirectories: true)
            let beside = "\(library).\(UUID().uuidString)"
            let result = try compiler.run(
                [
                    "-std=c++17", "-O2", "-fPIC", "-shared", "-Wall", "-Werror", "-DSTAND_IN_HEADER=\"\(header)\"",
                    "-DSTAND_IN_COMPILER=\"\(compiler.path)\"", "-o", beside, "\(folder)/stand_ins.cpp",
                ], in: built)
            guard result.status == 0 else { throw BrokenSource(messages: result.messages) }
            // A file under three names would be loaded only once.
            for name in ["libnvrtc.so.12", "libcublas.so.12"] {
                try? FileManager.default.createSymbolicLink(
                    atPath: "\(built)/\(name)", withDestinationPath: "libcuda.so.1")
            }
            rename(beside, library)
        }
        places = LibraryPaths(folders: [built])
        cacheFolder = "\(built)/cache"
        guard let handle = dlopen(library, RTLD_NOW), let order = dlsym(handle, "stand_in_set_order"),
            let launches = dlsym(handle, "stand_in_launches")
        else { throw BrokenSource(messages: "no control functions") }
        setOrder = unsafeBitCast(order, to: (@convention(c) (Int32) -> Void).self)
        countLaunches = unsafeBitCast(launches, to: (@convention(c) () -> Int).self)
    }
}
