import Foundation
import NetCDFFiles
import TestSupport
import Testing

/// Every command and every output states the version and the commit of the program.
@Suite struct VersionTests {
    private static let isCheckout = FileManager.default.fileExists(atPath: "\(Places.repository)/.git")

    private func version(of tool: Tool) throws -> String {
        let result = try tool.run(["--version"], in: "/")
        #expect(result.status == 0 && result.messages.isEmpty)
        let lines = result.output.split(separator: "\n")
        #expect(lines.count == 2 && lines[1].hasPrefix("reader process: "))
        return String(lines[0])
    }

    @Test(
        "the version names the commit of HEAD, and whether the sources differ from it",
        .enabled(if: isCheckout && Tool.installed("git") != nil, "not a git checkout"))
    func commitOfHead() throws {
        let git = try #require(Tool.installed("git"))
        func answer(_ arguments: [String]) throws -> String {
            try git.run(arguments, in: Places.repository).output.trimmingCharacters(in: .newlines)
        }
        let head = try answer(["rev-parse", "HEAD"])
        try #require(head.count == 40)
        let changes = try answer(["status", "--porcelain", "--", "Package.swift", "Plugins", "Sources"])
        let expected = "IceShelfPINN 1.0 (commit \(head)\(changes.isEmpty ? "" : "+changes"))"
        let found = try version(of: try #require(Tool.built("pinn-train")))
        #expect(found == expected, "was the program built after the last commit?")
    }

    @Test("all commands have the same version")
    func commands() throws {
        let versions = try ["ingest", "plan", "train", "export", "report", "eval", "bench", "sample"].map {
            try version(of: try #require(Tool.built("pinn-\($0)")))
        }
        #expect(Set(versions).count == 1 && versions[0].hasPrefix("IceShelfPINN "))
    }

    @Test("store, checkpoint, history, prediction, report, maps, benchmark and samples carry it")
    func outputs() throws {
        let here = try Workspace()
        let version = try version(of: here.train)
        try here.addStore()
        func succeed(_ tool: String, _ arguments: [String]) throws {
            let result = try here.run(try #require(Tool.built(tool)), arguments)
            try #require(result.status == 0, "\(result.messages)")
        }
        try succeed("pinn-train", Workspace.short + ["--iterations", "10"])
        try succeed("pinn-export", ["prediction.nc"])
        try succeed("pinn-report", ["report.html", "--png", "maps"])
        try succeed("pinn-bench", ["--points", "64", "--network", "2x16", "--seconds", "0.1", "--save", "bench.json"])
        try succeed("pinn-sample", ["--spacing-m", "2000"])
        let attributes = [
            ("pinn-store.nc", "source_ingested_by"), ("pinn-run/\(here.checkpoints.last ?? "")", "software"),
            ("pinn-run/history.nc", "software"), ("prediction.nc", "source"),
            ("prediction.nc", "source_ingested_by"), ("sample_truth.nc", "software"),
        ]
        for (file, attribute) in attributes {
            let text = try NetCDFFile(reading: here.folder.file(file)).attribute(attribute)?.text
            #expect(text?.hasPrefix(version) == true, "\(file), \(attribute): \(text ?? "missing")")
        }
        for file in ["report.html", "maps/mu.png", "bench.json"] {
            #expect(try here.bytes(file).range(of: Data(version.utf8)) != nil, "\(file)")
        }
    }
}
