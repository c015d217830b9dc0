import Glibc

/// Folders in which CUDA's libraries are looked for, in order.
public struct LibraryPaths: Sendable {
    /// An empty name stands for the loader's search path.
    public let folders: [String]

    public init(folders: [String]) {
        self.folders = folders
    }

    /// PINN_CUDA_PATH (folders separated by colons), the program's own folder, the loader's path, toolkits, drivers of
    /// containers, and the wheels of Python packages that other tools install. No Python is run.
    public static var ofThisMachine: LibraryPaths {
        func variable(_ name: String) -> String? {
            getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
        }
        var folders = variable("PINN_CUDA_PATH").map { $0.split(separator: ":").map(String.init) } ?? []
        if let own = folderOfExecutable() { folders += [own, "\(own)/../lib"] }
        folders.append("")
        for toolkit in [variable("CUDA_HOME"), variable("CUDA_PATH")].compactMap(\.self) {
            folders += ["\(toolkit)/lib64", "\(toolkit)/lib"]
        }
        folders += matches("/usr/local/cuda*/lib64").reversed()
        folders += ["/usr/local/nvidia/lib64", "/usr/lib/wsl/lib", "/run/opengl-driver/lib"]
        for prefix in pythonPrefixes(variable) {
            for packages in ["site-packages", "dist-packages"] {
                folders += matches("\(prefix)/lib/python3*/\(packages)/nvidia/*/lib").reversed()
            }
        }
        var seen: Set<String> = []
        return LibraryPaths(folders: folders.filter { seen.insert($0).inserted })
    }

    /// The folders, for an error message.
    var description: String { folders.map { $0.isEmpty ? "the loader's search path" : $0 }.joined(separator: ", ") }

    private static func pythonPrefixes(_ variable: (String) -> String?) -> [String] {
        let paths = (variable("PATH") ?? "").split(separator: ":")
        return [variable("VIRTUAL_ENV"), variable("CONDA_PREFIX")].compactMap(\.self)
            + paths.filter { access("\($0)/python3", X_OK) == 0 }.map { "\($0)/.." }
            + [variable("HOME").map { "\($0)/.local" }].compactMap(\.self) + ["/usr/local", "/usr"]
    }

    private static func folderOfExecutable() -> String? {
        var buffer = [CChar](repeating: 0, count: 4096)
        let length = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard length > 0 else { return nil }
        let path = String(decoding: buffer[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
        return path.lastIndex(of: "/").map { String(path[..<$0]) }
    }

    private static func matches(_ pattern: String) -> [String] {
        var found = glob_t()
        defer { globfree(&found) }
        guard glob(pattern, 0, nil, &found) == 0 else { return [] }
        return (0..<Int(found.gl_pathc)).compactMap { found.gl_pathv[$0].map { String(cString: $0) } }
    }
}
