import Foundation

/// A library that the tests compile, kept for their next run in a folder named after a hash of its sources.
struct CompiledLibrary {
    enum Failure: Error {
        case noCompiler
        case broken(String)
    }

    let folder: String
    let path: String

    /// - Parameters:
    ///   - others: sources that the first includes.
    ///   - compilers: names of which the first that is installed compiles.
    ///   - options: what it needs besides, given the compiler's path.
    init(
        _ name: String, of source: String, with others: [String] = [], compilers: [String],
        options: (_ compiler: String) -> [String]
    ) throws {
        guard let compiler = compilers.lazy.compactMap(Tool.installed).first else { throw Failure.noCompiler }
        let arguments = options(compiler.path) + ["-O2", "-fPIC", "-shared", "-Wall", "-Werror"]
        let texts = try ([source] + others).map { try String(contentsOfFile: $0, encoding: .utf8) }
        var sum: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in (texts + arguments).joined().utf8 { sum = (sum ^ UInt64(byte)) &* 0x100_0000_01b3 }
        folder = NSTemporaryDirectory() + "iceshelfpinn-compiled-" + String(sum, radix: 16)
        path = "\(folder)/\(name)"
        guard !FileManager.default.fileExists(atPath: path) else { return }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let beside = "\(path).\(UUID().uuidString)"
        let result = try compiler.run(arguments + ["-o", beside, source, "-ldl"], in: folder)
        guard result.status == 0 else { throw Failure.broken(result.messages) }
        rename(beside, path)
    }
}
