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

    private init() throws {
        let sources = "\(Places.repository)/Tests/TestSupport/StandIns"
        let header = "\(sources)/emulated_device.h"
        let library = try CompiledLibrary(
            "libcuda.so.1", of: "\(sources)/stand_ins.cpp", with: [header], compilers: ["clang++", "g++"]
        ) { compiler in
            ["-std=c++17", "-DSTAND_IN_HEADER=\"\(header)\"", "-DSTAND_IN_COMPILER=\"\(compiler)\""]
        }
        let built = library.folder
        // A file under three names would be loaded only once.
        for name in ["libnvrtc.so.12", "libcublas.so.12"] {
            try? FileManager.default.createSymbolicLink(
                atPath: "\(built)/\(name)", withDestinationPath: "libcuda.so.1")
        }
        places = LibraryPaths(folders: [built])
        cacheFolder = "\(built)/cache"
        guard let handle = dlopen(library.path, RTLD_NOW), let order = dlsym(handle, "stand_in_set_order"),
            let launches = dlsym(handle, "stand_in_launches")
        else { throw CompiledLibrary.Failure.broken("no control functions") }
        setOrder = unsafeBitCast(order, to: (@convention(c) (Int32) -> Void).self)
        countLaunches = unsafeBitCast(launches, to: (@convention(c) () -> Int).self)
    }
}
