import Foundation
import TestSupport
import Testing

/// pinn-plan, and the plan that pinn-train makes before it starts.
@Suite struct PlanTests {
    private func figures(_ arguments: [String]) throws -> [String: Any] {
        let folder = try TemporaryFolder()
        let result = try #require(Tool.built("pinn-plan")).run(arguments + ["--format", "json"], in: folder.path)
        try #require(result.status == 0, "\(result.messages)")
        return try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    }

    @Test func thePublishedFiguresComeFromTheCommandLine() throws {
        let published = ["--points", "1e8", "--iterations", "1e5", "--instances", "32:0.0014,40:0.1264"]
        let plan = try figures(published + ["--hours-per-day", "16"])
        let instances = try #require(plan["instances"] as? [[String: Any]])
        let alone = instances.compactMap { $0["etct_h"] as? Double }
        #expect(alone.map { $0.rounded() } == [3889, 351_111])
        for (name, hours) in [
            ("etrt_divided_h", 119.87), ("etrt_whole_jobs_h", 122.33), ("etrt_divided_on_the_clock_h", 179.8),
        ] {
            let found = try #require(plan[name] as? Double)
            #expect(abs(found - hours) < 0.01, "\(name): \(found)")
        }
        // What streaming changes: 1e5 chunks, each at most of 65536 points.
        #expect(plan["points_visited"] as? Double == 6.5536e9)
        #expect(plan["points_visited_full_batch"] as? Double == 1e13)
        let slower = try figures([
            "--points", "1e8", "--iterations", "1e5", "--points-per-job", "4096", "--instances", "32:0.0042,40:0.3792",
        ])
        let found = try #require(slower["etrt_divided_h"] as? Double)
        #expect(abs(found / 119.868 - 3) < 1e-4)
    }

    @Test(arguments: ["text", "markdown"]) func tablesGoToStdout(_ format: String) throws {
        let folder = try TemporaryFolder()
        let result = try #require(Tool.built("pinn-plan")).run(
            ["--instances", "32:0.0014,40:0.1264", "--format", format], in: folder.path)
        #expect(result.status == 0 && result.messages.isEmpty)
        for figure in ["119.9 h", "122.3 h", "3889 h", "3.511e5 h", "1526 times fewer", "810 MB"] {
            #expect(result.output.contains(figure), "\(figure) in \(result.output)")
        }
    }

    private func plan(_ arguments: [String], in folder: TemporaryFolder) throws -> Tool.Result {
        try #require(Tool.built("pinn-plan")).run(arguments, in: folder.path)
    }

    @Test(arguments: [
        (["--unit-time", "1e308"], "from 1e-12 to 1e6"), (["--instances", "2:1e9"], "from 1e-12 to 1e6"),
        (["--hours-per-day", "0"], "from 0.01 to 24"), (["--points", "0"], "from 1 to 1e12"),
        (["--points-per-job", "-1"], "from 1 to 1e12"), (["--threads", "0"], "from 1 to 1024"),
    ]) func whatIsOutOfRangeIsToldTheRange(_ arguments: [String], _ range: String) throws {
        let result = try plan(["\(arguments[0])=\(arguments[1])", "--format", "json"], in: TemporaryFolder())
        #expect(result.status == 64 && result.messages.contains(range), "\(result.messages)")
    }

    @Test func theExtremesOfARangeHaveAPlan() throws {
        for unitTime in ["1e-12", "1e6"] {
            let found = try figures([
                "--unit-time", unitTime, "--points", "1e12", "--iterations", "1e12", "--instances", "1:\(unitTime)",
                "--hours-per-day", "0.01", "--points-per-job", "1",
            ])
            #expect(found["this_machine"] != nil)
        }
    }

    /// A trap, or minutes without a word, before there was a check.
    @Test func aNetworkThatDoesNotFitIsNotMeasured() throws {
        let folder = try TemporaryFolder()
        let shell = try #require(Tool.installed("sh"))
        let tool = try #require(Tool.built("pinn-plan")).path
        for kilobytes in [500_000, 800_000, 1_000_000, 1_200_000] {
            let result = try shell.run(
                ["-c", "ulimit -v \(kilobytes); exec \"$0\" \"$@\"", tool, "--network", "20x1024", "--threads", "1"],
                in: folder.path)
            #expect(!result.died && result.status == 0, "\(kilobytes): \(result.messages)")
            if kilobytes <= 800_000 { #expect(result.output.contains("not measured: would not fit")) }
        }
        let huge = try plan(["--network", "64x4096"], in: folder)
        #expect(huge.status == 0 && huge.output.contains("not measured: would"), "\(huge.messages)")
    }

    @Test func theUnitTimeOfALargeNetworkIsMeasuredWithFewPoints() throws {
        let result = try plan(["--network", "8x512"], in: TemporaryFolder())
        #expect(result.status == 0 && result.output.contains("measured now with"), "\(result.output)")
        #expect(!result.output.contains("with 4096 points"))
    }

    @Test func aChunkThatHoldsEverythingIsSaidToChangeNothing() throws {
        let result = try plan(
            ["--points", "1000", "--observations", "300", "--unit-time", "0.1"], in: TemporaryFolder())
        #expect(result.output.contains("chunk=1000,data=300") && result.output.contains("each iteration takes all of"))
        #expect(!result.output.contains("times fewer") && !result.output.contains("65536"), "\(result.output)")
    }

    @Test(arguments: ["--hours-per-day", "--points-per-job"]) func whatHasNoEffectIsWarnedOf(_ option: String) throws {
        let result = try plan([option, "12", "--unit-time", "0.1"], in: TemporaryFolder())
        #expect(result.status == 0 && result.messages == "warning: \(option) has no effect without --instances\n")
    }

    @Test(arguments: [
        ("network = \"20y\"", "c.toml: network: '20y'"), ("points = 0", "c.toml: "), ("netwrk = 1", "c.toml: "),
        ("[plan]\nunit-time = 1e300", "c.toml: unit-time: "), ("[plam]\npoints = 1", "'plam'; known are ingest"),
        ("[[plan]]\npoints = 1", "c.toml: unknown section"), ("[plan.train]\npoints = 1", "'plan.train'"),
    ]) func aMistakeInAConfigurationNamesTheFile(_ text: String, _ naming: String) throws {
        let folder = try TemporaryFolder()
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.file("c.toml")))
        let result = try plan(["--config", "c.toml"], in: folder)
        #expect([64, 65].contains(result.status) && result.messages.contains(naming), "\(result.messages)")
        // In a file, options have no dashes; where help is, is told behind it.
        let mistake = result.messages.replacing("; see 'pinn-plan --help'", with: "")
        #expect(!mistake.contains("--"), "\(result.messages)")
    }

    @Test func thePlanOfARunCanBePlannedWith() throws {
        let here = try Workspace()
        try here.addStore()
        #expect(try here.run(here.train, Workspace.short + ["--iterations", "3"]).status == 0)
        let result = try here.run(
            try #require(Tool.built("pinn-plan")), ["--config", "pinn-run/plan.toml", "--unit-time", "0.1"])
        #expect(result.status == 0 && result.messages.isEmpty, "\(result.messages)")
        #expect(result.output.contains("Time of 3 iterations"))
    }

    /// Bytes of "at most 62.1 MB" in what pinn-train says before it starts.
    private func announced(_ messages: String) throws -> Double {
        let line = try #require(messages.split(separator: "\n").first { $0.hasPrefix("memory ") }, "\(messages)")
        let words = line.split(separator: " ").map(String.init)
        let place = try #require(words.firstIndex(of: "most"))
        return try #require(Double(words[place + 1])) * (words[place + 2].hasPrefix("GB") ? 1e9 : 1e6)
    }

    private static let time = Tool.installed("time")

    @Test(
        .enabled(if: time != nil, "GNU time is not installed"),
        arguments: [
            ["2x16", "chunk=1024", "1"], ["2x16", "chunk=20000,data=12000", "2"], ["8x128", "chunk=1024", "2"],
            ["4x512", "chunk=600", "1"],
        ]) func thePeakIsAtMostWhatWasAnnouncedAndNotFarBelow(_ setting: [String]) throws
    {
        let here = try Workspace()
        try here.addStore()
        let result = try here.run(
            try #require(Self.time),
            [
                "-f", "peak %M", here.train.path, "--optimizer", "adam", "--network", setting[0], "--stream",
                setting[1], "--threads",
                setting[2], "--iterations", "4",
            ])
        #expect(result.status == 0, "\(result.messages)")
        let line = try #require(result.messages.split(separator: "\n").last { $0.hasPrefix("peak ") })
        let peak = try #require(Double(line.dropFirst(5))) * 1024
        let plan = try announced(result.messages)
        #expect(peak <= plan && plan <= 1.3 * peak, "\(setting): \(plan) announced, \(peak) used")
    }

    /// A limit on address space or data makes Swift trap where an allocation fails; the plan must come before it.
    @Test(arguments: ["-v", "-d"]) func aLimitEndsInOneLineOrIsKept(_ option: String) throws {
        let here = try Workspace()
        try here.addStore()
        let shell = try #require(Tool.installed("sh"))
        var statuses: Set<Int32> = []
        // Below about 200 MB the system's own loader cannot map the libraries.
        for kilobytes in [300_000, 500_000, 700_000, 800_000, 900_000, 1_000_000, 4_000_000] {
            let result = try here.run(
                shell,
                [
                    "-c", "ulimit \(option) \(kilobytes); exec \"$0\" \"$@\"", here.train.path, "--network", "2x16",
                    "--optimizer", "adam", "--stream", "chunk=512", "--threads", "2", "--iterations", "3", "--run",
                    "run\(kilobytes)",
                ])
            #expect(!result.died && [0, 64].contains(result.status), "\(kilobytes): \(result.messages)")
            if result.status == 64 {
                #expect(result.messages.split(separator: "\n").count == 1)
                #expect(result.messages.contains("needs up to") && result.messages.contains("ulimit \(option)"))
                #expect(!here.exists("run\(kilobytes)"))
            }
            statuses.insert(result.status)
        }
        #expect(statuses == [0, 64])
    }

    @Test func aNetworkThatCannotFitIsRefusedBeforeAnythingIsWritten() throws {
        let here = try Workspace()
        try here.addStore()
        let before = here.folder.names
        let result = try here.run(
            here.train, ["--network", "64x4096", "--threads", "1024", "--stream", "chunk=1024"])
        #expect(result.status == 64 && !result.died, "\(result.messages)")
        #expect(result.messages.contains("smaller --network"), "\(result.messages)")
        #expect(here.folder.names == before)
    }

    /// A child of this process's own memory group, where the machine lets one be made.
    private static let group: String? = {
        let path = "/sys/fs/cgroup/memory/iceshelfpinn-\(ProcessInfo.processInfo.processIdentifier)"
        guard FileManager.default.fileExists(atPath: "/sys/fs/cgroup/memory/memory.limit_in_bytes"),
            mkdir(path, 0o755) == 0
        else { return nil }
        return path
    }()

    @Test(.enabled(if: group != nil, "no memory control group (version 1) can be made here"))
    func theLimitOfAControlGroupIsToldAndKept() throws {
        let group = try #require(Self.group)
        defer { rmdir(group) }
        let here = try Workspace()
        try here.addStore()
        let shell = try #require(Tool.installed("sh"))
        // 71: no option makes the program itself smaller.
        for (megabytes, status) in [(45, Int32(71)), (100, 0)] {
            let script = """
                echo \(megabytes)000000 > \(group)/memory.limit_in_bytes && echo $$ > \(group)/cgroup.procs && exec "$0" "$@"
                """
            let result = try here.run(
                shell,
                ["-c", script, here.train.path] + Workspace.short + ["--network", "8x128", "--iterations", "3"])
            #expect(!result.died && result.status == status, "\(megabytes) MB: \(result.messages)")
            if status == 71 { #expect(result.messages.contains("memory.limit_in_bytes"), "\(result.messages)") }
        }
    }
}
