import Fields
import Foundation
import NetCDFFiles
import TestSupport
import Testing

/// Slips that would lose data, and inputs that would hang: found by trying.
@Suite struct GuardTests {
    private func trained() throws -> Workspace {
        let here = try Workspace()
        try here.addStore()
        try #require(here.run(here.train, Workspace.short + ["--iterations", "20"]).status == 0)
        return here
    }

    @Test func exportReplacesNothingButAPrediction() throws {
        let here = try trained()
        let guarded = ["pinn-store.nc", "pinn-run/checkpoint-0000000020.nc", "sample_bedmachine_v2.nc"]
        for name in guarded {
            let before = try here.bytes(name)
            let result = try here.run(here.export, [name])
            #expect(result.status == 64 && result.messages.contains(name), "\(result.messages)")
            #expect(try here.bytes(name) == before)
        }
        #expect(try here.run(here.export, ["prediction.nc"]).status == 0)
        #expect(try here.run(here.export, ["prediction.nc"]).status == 0)
    }

    @Test func anOutputHasOneWriterAtATime() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("out.nc")
        let first = try PendingFile(replacing: path)
        let failure = #expect(throws: NetCDFError.self) { _ = try PendingFile(replacing: path) }
        #expect(failure?.kind == .heldByAnother)
        // What the other is writing is no leftover.
        #expect(!PendingFile.removeLeftover(of: path))
        try Data("whole".utf8).write(to: URL(fileURLWithPath: first.temporaryPath))
        try first.commit()
        first.discard()
        let second = try PendingFile(replacing: path)
        second.discard()
        #expect(folder.names == ["out.nc"])
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data("whole".utf8))
    }

    @Test func aPipeIsRefusedWithoutWaitingForItsOtherEnd() throws {
        let here = try Workspace()
        try #require(mkfifo(here.folder.file("pipe.nc"), 0o600) == 0)
        for tool in [here.ingest, here.train] {
            let result = try here.run(tool, ["pipe.nc"])
            #expect(result.status == 65 && result.messages.contains("regular file"), "\(result.messages)")
        }
        #expect(try here.run(here.train, ["--config", "pipe.nc"]).status == 66)
        #expect(try here.run(here.train, ["--config", "."]).status == 66)
    }

    @Test func aRunThatIsFartherThanAskedIsSaidSo() throws {
        let here = try trained()
        let result = try here.run(here.train, ["--resume", "--iterations", "5"])
        #expect(result.status == 64 && result.messages.contains("20 iterations"), "\(result.messages)")
    }
}
