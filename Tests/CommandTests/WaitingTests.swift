import Foundation
import TestSupport
import Testing

/// Nothing is waited for without end: commands that get no thread, signals in a long iteration.
@Suite struct WaitingTests {
    /// Ends a command that has not ended after ten seconds.
    private func run(_ here: Workspace, _ tool: Tool, _ arguments: [String], _ environment: [String: String]) throws
        -> Tool.Result
    {
        try tool.run(arguments, in: here.folder.path, environment: environment) { running in
            let end = Date() + 10
            running.wait { _ in Date() > end }
            running.send(SIGKILL)
        }
    }

    /// Dispatch waited for a thread that it could not make: train, export and ingest hung, and no signal was answered.
    @Test(.enabled(if: Tool.installed("cc") != nil, "no C compiler"), arguments: 0...3)
    func withoutThreadsCommandsSayWhatIsMissingOrDoWithout(threads: Int) throws {
        let here = try Workspace()
        try here.addStore()
        try #require(here.run(here.train, Workspace.short + ["--iterations", "3", "--run", "whole"]).status == 0)
        let environment = try #require(try ThreadLimit.environment(threads: threads, in: here.folder))
        let report = try #require(Tool.built("pinn-report"))
        // Foundation's Process, which started the converter, needed threads too.
        let maps = Tool.installed("gdal_translate") == nil ? [] : ["--geotiff", "maps"]
        for (tool, arguments) in [
            (here.ingest, ["sample_velocity_measures.nc", "--points", "20000", "-o", "other.nc"]),
            (here.train, Workspace.short + ["--iterations", "3"]),
            (here.train, Workspace.short + ["--iterations", "3", "--threads", "1", "--run", "one"]),
            (here.train, Workspace.short + ["--iterations", "3", "--optimizer", "ssbroyden", "--run", "two"]),
            (here.export, ["p.nc", "--run", "whole"] + maps), (report, ["r.html", "--run", "whole"]),
        ] {
            let result = try run(here, tool, arguments, environment)
            #expect(!result.died && [0, 71].contains(result.status), "\(arguments): \(result.messages)")
            guard result.status == 71 else { continue }
            let errors = result.messages.split(separator: "\n").filter { $0.hasPrefix("error: ") }
            #expect(errors.count == 1 && errors[0].contains("thread"), "\(arguments): \(result.messages)")
        }
        // One thread that computes, and one that reads ahead.
        #expect(here.exists("one/checkpoint-0000000003.nc") == (threads > 0))
        #expect(!here.exists("other.nc.partial") && here.partialFiles.isEmpty)
    }

    /// An iteration of this network takes half a minute.
    @Test func aSignalIsAnsweredWithinALongIteration() throws {
        let here = try Workspace()
        try here.addStore()
        let options = ["--optimizer", "adam", "--stream", "chunk=20000", "--network", "8x512", "--iterations", "2"]
        var asked = Date()
        let result = try here.run(here.train, options) { running in
            running.wait { $0.messages.contains("work  ") }
            usleep(500_000)
            asked = Date()
            running.send(SIGTERM)
        }
        #expect(Date().timeIntervalSince(asked) < 10)
        #expect(result.status == 75 && result.messages.contains("stopped at iteration 0"), "\(result.messages)")
        #expect(here.checkpoints == ["checkpoint-0000000000.nc"])
    }
}
