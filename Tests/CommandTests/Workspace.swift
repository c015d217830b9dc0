import Foundation
import TestSupport
import Testing

/// A folder with the two sample downloads, and the commands to run in it.
struct Workspace {
    let folder: TemporaryFolder
    let ingest: Tool
    let train: Tool
    let export: Tool

    /// Options that make a run short.
    static let short = [
        "--optimizer", "adam", "--stream", "chunk=512", "--network", "2x16", "--checkpoint-every", "0.05",
    ]

    init() throws {
        folder = try TemporaryFolder()
        ingest = try #require(Tool.built("pinn-ingest"))
        train = try #require(Tool.built("pinn-train"))
        export = try #require(Tool.built("pinn-export"))
    }

    func addSample() throws {
        for name in ["sample_velocity_measures.nc", "sample_bedmachine_v2.nc"] {
            try FileManager.default.copyItem(atPath: Places.sample(name), toPath: folder.file(name))
        }
    }

    func addStore() throws {
        try addSample()
        let result = try run(ingest, ["sample_velocity_measures.nc", "--points", "20000"])
        try #require(result.status == 0, "\(result.messages)")
    }

    func run(_ tool: Tool, _ arguments: [String], interrupting: (Tool.Running) -> Void = { _ in }) throws -> Tool.Result
    {
        try tool.run(arguments, in: folder.path, interrupting: interrupting)
    }

    func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: folder.file(name))) }
    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: folder.file(name)) }
    /// Names of the checkpoints of pinn-run, oldest first.
    var checkpoints: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.file("pinn-run"))) ?? [])
            .filter { $0.hasPrefix("checkpoint-") && $0.hasSuffix(".nc") }.sorted()
    }
    var partialFiles: [String] {
        (FileManager.default.enumerator(atPath: folder.path)?.allObjects as? [String] ?? []).filter {
            $0.hasSuffix(".partial")
        }
    }
}
