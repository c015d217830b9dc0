import Foundation
import NetCDFFiles
import TestSupport
import Testing

/// Whether GNU time is there, which tells the largest memory that a process had.
private let time: Tool? = Tool.installed("time")

/// Memory does not grow with the number of points.
@Suite(.enabled(if: time != nil, "GNU time is not installed"))
struct MemoryTests {
    /// The peak of a command that must succeed [MB].
    private func peak(_ tool: Tool, _ arguments: [String], in here: Workspace) throws -> Double {
        let result = try here.run(try #require(time), ["-f", "peak %M", tool.path] + arguments)
        try #require(result.status == 0, "\(result.messages)")
        let line = try #require(result.messages.split(separator: "\n").last { $0.hasPrefix("peak ") })
        return try #require(Double(line.dropFirst(5))) / 1024
    }

    private func ingest(_ points: String, as store: String, in here: Workspace) throws -> Double {
        try peak(here.ingest, ["sample_velocity_measures.nc", "--points", points, "-o", store], in: here)
    }

    @Test func aHundredTimesThePointsNeedNoMoreMemory() throws {
        let here = try Workspace()
        try here.addSample()
        let small = try ingest("1e5", as: "small.nc", in: here)
        let large = try ingest("1e7", as: "large.nc", in: here)
        // The large store has 80 MB; portions that are made ahead of the writing take up to 10.
        #expect(large - small < 20, "\(small) and \(large) MB")
        let options = ["--optimizer", "adam", "--stream", "chunk=4096", "--network", "2x16", "--iterations", "20"]
        let few = try peak(here.train, ["small.nc", "--run", "small"] + options, in: here)
        let many = try peak(here.train, ["large.nc", "--run", "large"] + options, in: here)
        #expect(many - few < 10, "\(few) and \(many) MB")
    }

    /// The inverse Hessian of each member was held: 178 MB a member with default options.
    @Test func predictionsFromAnEnsembleHoldWeightsAlone() throws {
        let here = try Workspace()
        try here.addStore()
        // 1924 weights: an inverse Hessian of 14.8 MB.
        let options = ["--optimizer", "adam", "--stream", "chunk=64", "--network", "2x40", "--iterations", "2"]
        let train = { try #require(here.run(here.train, options + $0).status == 0) }
        try train(["--run", "adam", "--optimizer", "adam"])
        try train(["--run", "one", "--optimizer", "ssbroyden"])
        try train(["--run", "five", "--optimizer", "ssbroyden", "--ensemble", "5"])
        let commands = try [
            (here.export, ["out.nc"]), (#require(Tool.built("pinn-report")), ["out.html"]),
            (#require(Tool.built("pinn-eval")), [Places.sample("sample_truth.nc")]),
        ]
        for (tool, arguments) in commands {
            let peaks = try ["adam", "one", "five"].map { try peak(tool, arguments + ["--run", $0], in: here) }
            #expect(peaks[1] - peaks[0] < 5, "\(tool.path) \(peaks) MB")
            // Means and deviations of a band in double.
            #expect(peaks[2] - peaks[1] < 30, "\(tool.path) \(peaks) MB")
        }
    }

    /// The checkpoint that it was read from was held until the end: a second inverse Hessian.
    @Test func aResumedRunNeedsTheMemoryOfANewOne() throws {
        let here = try Workspace()
        try here.addStore()
        // 3364 weights: an inverse Hessian of 45 MB.
        let options = ["--stream", "chunk=64", "--network", "2x55", "--optimizer", "ssbroyden"]
        let new = try peak(here.train, options + ["--iterations", "3"], in: here)
        let resumed = try peak(here.train, ["--resume", "--iterations", "6"], in: here)
        #expect(resumed - new < 12, "\(new) and \(resumed) MB")
    }

    @Test(.enabled(if: Places.runsLongTests, "set PINN_LONG_TESTS=1 to run"))
    func aHundredMillionPointsAreIngestedAndTrainedOnInTheMemoryOfALaptop() throws {
        let here = try Workspace()
        try here.addSample()
        try #require((AtomicFile.freeBytes(beside: here.folder.file("x")) ?? 0) > 2_000_000_000)
        #expect(try ingest("1e8", as: "pinn-store.nc", in: here) <= 400)
        let trained = try peak(here.train, ["--stream", "chunk=65536", "--iterations", "3"], in: here)
        #expect(trained <= 150, "\(trained) MB")
        try trainInGroup(here, megabytes: 96)
    }

    /// The same in a control group that may not have more, the pages of the file that are in the cache included.
    private func trainInGroup(_ here: Workspace, megabytes: Int) throws {
        let group = "/sys/fs/cgroup/memory/iceshelfpinn-\(ProcessInfo.processInfo.processIdentifier)"
        // Version 1 of the interface, and only for who may: elsewhere there is nothing to try.
        guard mkdir(group, 0o755) == 0 else { return }
        defer { rmdir(group) }
        try Data("\(megabytes << 20)".utf8).write(to: URL(fileURLWithPath: "\(group)/memory.limit_in_bytes"))
        let shell = try #require(Tool.installed("sh"))
        let result = try here.run(
            shell,
            [
                "-c", "echo $$ > \(group)/cgroup.procs && exec \"$0\" \"$@\"", here.train.path, "--stream",
                "chunk=65536", "--optimizer", "adam", "--iterations", "3", "--run", "grouped",
            ])
        #expect(result.status == 0 && !result.died, "\(result.messages)")
    }
}
