import Glibc

/// A shared library opened by name at run time, which stays open: CUDA is needed neither to build nor to run without a GPU.
final class DynamicLibrary {
    /// The name or path that opened it.
    let path: String
    // The loader's handle; never closed, since the library's threads may outlive this value.
    private let handle: UnsafeMutableRawPointer

    /// - Parameters:
    ///   - purpose: what the library is, for the error message.
    ///   - names: file names, newest version first.
    init(_ names: [String], purpose: String, in places: LibraryPaths) throws(CUDAError) {
        var reason: String?
        for folder in places.folders {
            for name in names {
                let path = folder.isEmpty ? name : "\(folder)/\(name)"
                // A file that exists and does not load explains more than one that is missing.
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

    /// A function of the library. The caller states its type, unchecked.
    func function<Function>(_ name: String, as type: Function.Type = Function.self) throws(CUDAError) -> Function {
        guard let address = dlsym(handle, name) else { throw .missingFunction(name, library: path) }
        return unsafeBitCast(address, to: Function.self)
    }
}
