import Foundation
import TestSupport
import Testing

/// The process that reads a product gets what it needs and no more, whatever a file makes of it.
@Suite struct ConfinementTests {
    private static let compiler = Tool.installed("clang") ?? Tool.installed("cc")

    /// What a confined process could do, by name (StandIns/confined_reader.c).
    private func attempts(in folder: TemporaryFolder) throws -> [String: String] {
        let compiler = try #require(Self.compiler)
        let built = try compiler.run(
            [
                "-std=gnu11", "-ISources/CSystem/include", "Tests/TestSupport/StandIns/confined_reader.c",
                "Sources/CSystem/reader_confinement.c", "-o", folder.file("confined"), "-lpthread",
            ], in: Places.repository)
        try #require(built.status == 0, "\(built.messages)")
        for name in ["own", "other"] { try Data("text".utf8).write(to: URL(fileURLWithPath: folder.file(name))) }
        let result = try Tool(path: folder.file("confined"))
            .run([folder.file("own"), folder.file("other"), folder.file("none")], in: folder.path)
        try #require(result.status == 0 && !result.died, "\(result)")
        let words = result.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        return Dictionary(uniqueKeysWithValues: words.map { ($0[0], $0[1]) })
    }

    @Test(.enabled(if: compiler != nil, "no C compiler")) func aReaderReadsItsFileAndDoesNothingElse() throws {
        let folder = try TemporaryFolder()
        var could = try attempts(in: folder)
        let (landlock, seccomp) = (could["landlock"], could["seccomp"])
        (could["landlock"], could["seccomp"]) = (nil, nil)
        for name in ["read-own", "read-status", "start-thread", "signal-itself"] {
            #expect(could[name] == "done", "\(name)")
            could[name] = nil
        }
        // Each of the two is tried where the kernel has it.
        let reading = could.keys.filter { $0.hasPrefix("read-") && $0 != "read-memory" }
        if landlock != "0" { for name in reading { #expect(could[name] == "refused", "\(name)") } }
        for name in reading { could[name] = nil }
        if seccomp != "0" { #expect(could.values.allSatisfy { $0 == "refused" }, "\(could)") }
        #expect(could.count > 10)
        #expect(folder.names == ["confined", "other", "own"])
    }

    @Test func aReaderOfAProductIsConfined() throws {
        let here = try Workspace()
        try here.addSample()
        let version = try here.run(here.ingest, ["--version"]).output
        try #require(version.contains("reader process: "))
        var statuses: Set<String> = []
        for _ in 0..<20 where statuses.isEmpty {
            _ = try here.run(here.ingest, ["sample_velocity_measures.nc", "--points", "1e6", "-o", "new.nc"]) {
                $0.wait { running in
                    let parent = running.process.processIdentifier
                    let path = "/proc/\(parent)/task/\(parent)/children"
                    let children = ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: " ")
                    for child in children {
                        let status = (try? String(contentsOfFile: "/proc/\(child)/status", encoding: .utf8)) ?? ""
                        for line in status.split(separator: "\n")
                        where line.hasPrefix("Seccomp:") && line.hasSuffix("2") {
                            statuses.insert(String(line))
                        }
                    }
                    return !statuses.isEmpty
                }
            }
        }
        #expect(!statuses.isEmpty || !version.contains("seccomp"))
    }
}
