import Glibc

/// A shared library that is opened by name while the program runs, and stays open: nothing of CUDA is needed to build, or to
/// run without a GPU.
final class DynamicLibrary {
    /// The name or path that opened it.
    let path: String
    // The loader's handle; a library is never closed, for its threads may outlive whoever opened it.
    private let handle: UnsafeMutableRawPointer

    /// - Parameters:
    ///   - purpose: what the library is for, for the error.
    ///   - names: file names, the newest first.
    init(_ names: [String], purpose: String, in places: LibraryPaths) throws(CUDAError) {
        var reason: String?
        for folder in places.folders {
            for name in names {
                let path = folder.isEmpty ? name : "\(folder)/\(name)"
                // A file that is there and does not open says more than one that is not there.
                if let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) {
                    self.handle = handle
                    self.path = path
                    return
                }
                if !folder.isEmpty, access(path, F_OK) == 0, let text = dlerror() { reason = String(cString: text) }
            }
        }
        throw .missingLibrary(purpose: purpose, names: names, places: places, reason: reason)
    }

    /// A function of the library; the caller states its type, which nothing checks.
    func function<Function>(_ name: String, as type: Function.Type = Function.self) throws(CUDAError) -> Function {
        guard let address = dlsym(handle, name) else { throw .missingFunction(name, library: path) }
        return unsafeBitCast(address, to: Function.self)
    }
}
