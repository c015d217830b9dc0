import Benchmarks
import Foundation
import TestSupport
import Testing

/// The command itself, on tiny problems.
@Suite struct BenchCommandTests {
    static let short = ["--network", "2x16", "--seconds", "0.05", "--threads", "1"]

    private func bench(_ arguments: [String], in folder: TemporaryFolder) throws -> Tool.Result {
        try #require(Tool.built("pinn-bench")).run(Self.short + arguments, in: folder.path)
    }

    @Test func aStepHasFiguresThatCanBe() throws {
        let folder = try TemporaryFolder()
        let result = try bench(["--what", "step", "--points", "64,128", "--format", "json"], in: folder)
        try #require(result.status == 0, "\(result.messages)")
        let report = try JSON.decode(BenchmarkReport.self, from: Data(result.output.utf8))
        #expect(report.steps.map(\.points) == [64, 128])
        for row in report.steps {
            let share = try #require(row.measured.share)
            #expect(share > 0 && share < 2)
            #expect(try #require(row.measured.sgemmRate) > 1e8)
            #expect(row.measured.steps >= 3 && row.measured.stepSeconds > 0 && row.measured.stepSeconds < 1)
            // The libraries alone take 10 MB; the yardstick's matrices would add 12.
            #expect(row.peakBytes > 5_000_000 && row.peakBytes < 200_000_000)
        }
        #expect(folder.names.isEmpty)
    }

    /// A row went on without its command, in a folder of 276 MB that nobody removed.
    @Test func whatIsKilledLeavesNoProcessAndNoFolder() throws {
        let folder = try TemporaryFolder()
        var row: Int32?
        let result = try #require(Tool.built("pinn-bench")).run(
            Self.short + ["--what", "stream", "--stream-points", "30000000"], in: folder.path
        ) { running in
            let command = running.process.processIdentifier
            running.wait { _ in
                let children = try? String(contentsOfFile: "/proc/\(command)/task/\(command)/children", encoding: .utf8)
                row = (children ?? "").split(separator: " ").compactMap { Int32($0) }.first { child in
                    let arguments = try? String(contentsOfFile: "/proc/\(child)/cmdline", encoding: .utf8)
                    return arguments?.contains("--row") == true
                }
                return row != nil && !folder.names.isEmpty
            }
            running.send(SIGKILL)
        }
        #expect(result.died && result.status == SIGKILL)
        let process = try #require(row)
        let end = Date() + 20
        func isAlive() -> Bool {
            let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
            return status.contains("Name:\tpinn-bench") && !status.contains("State:\tZ")
        }
        while isAlive() || !folder.names.isEmpty, Date() < end { usleep(10_000) }
        #expect(!isAlive() && folder.names.isEmpty)
    }

    @Test func rowsDoNotSeeEachOthersMemory() throws {
        let folder = try TemporaryFolder()
        let result = try bench(["--points", "1000000,64", "--format", "json"], in: folder)
        try #require(result.status == 0, "\(result.messages)")
        let peaks = try JSON.decode(BenchmarkReport.self, from: Data(result.output.utf8)).steps.map(\.peakBytes)
        // A million points are 20 MB.
        #expect(peaks[0] > peaks[1] + 15_000_000)
    }

    @Test func everyStageRunsAndLeavesNothingBehind() throws {
        let folder = try TemporaryFolder()
        let result = try bench(
            [
                "--what", "all", "--points", "64", "--stream-points", "200000", "--chunk", "1024",
                "--ingest-points", "20000", "--export-cells", "400", "--save", "report.json",
            ], in: folder)
        try #require(result.status == 0, "\(result.messages)")
        #expect(folder.names == ["report.json"])
        let report = try BenchmarkReport(reading: folder.file("report.json"))
        #expect(report.steps.count == 1 && report.stages.map(\.stage) == ["ingest", "export"])
        let jacobians = try #require(report.jacobians)
        #expect(jacobians.map(\.product) == [.gram, .normal] && result.output.contains("Products of a Jacobian"))
        for row in jacobians {
            #expect(row.rows == 1000 && row.seconds > 0 && (row.share ?? 0) > 0)
        }
        let stream = try #require(report.streams.first)
        #expect(stream.points == 200_000 && stream.chunk == 1024 && stream.pointsPerIteration > 1024)
        for reading in [stream.warm, stream.cold].compactMap({ $0 }) {
            #expect(reading.pointsPerSecond > 0 && reading.slowdown > -1)
            #expect((0..<1).contains(reading.waiting))
        }
        #expect(report.stages[1].count == 400)
        #expect(result.output.contains("200,000, streamed"))
    }

    @Test func anEarlierReportIsComparedWith() throws {
        let folder = try TemporaryFolder()
        #expect(try bench(["--points", "64", "--save", "before.json"], in: folder).status == 0)
        let result = try bench(["--points", "64", "--compare", "before.json", "--format", "markdown"], in: folder)
        #expect(result.status == 0)
        #expect(result.output.contains("### Compared with the earlier report"))
    }

    @Test(arguments: [
        (["--what", "steps"], 64, "--what"), (["--points", "0"], 64, "--points"),
        (["--threads", "1,x"], 64, "--threads"),
        (["--backend", "abacus"], 64, "abacus"), (["--network", "8"], 64, "network"),
        (["--compare", "absent.json"], 66, "absent.json"),
        (["--what", "ingest", "--scratch", "no/folder"], 74, "no/folder"),
        (["--points", "64", "--save", "no/folder/report.json"], 74, "no/folder"),
    ]) func aMistakeIsToldInOneLine(_ arguments: [String], _ status: Int32, _ naming: String) throws {
        let folder = try TemporaryFolder()
        let result = try bench(arguments, in: folder)
        #expect(result.status == status && result.messages.contains(naming), "\(result.messages)")
        #expect(folder.names.isEmpty)
    }

    @Test func onlyReportsAreReplaced() throws {
        let folder = try TemporaryFolder()
        let manager = FileManager.default
        try Data("mine".utf8).write(to: URL(fileURLWithPath: folder.file("notes.txt")))
        try manager.createDirectory(atPath: folder.file("folder"), withIntermediateDirectories: false)
        try manager.createSymbolicLink(atPath: folder.file("nowhere"), withDestinationPath: "absent")
        try manager.createSymbolicLink(atPath: folder.file("link"), withDestinationPath: "report.json")
        for name in ["notes.txt", "folder", "nowhere", "/dev/null"] {
            let result = try bench(["--points", "64", "--save", name], in: folder)
            #expect(result.status == 64 && result.messages.contains("not replaced"), "\(name): \(result.messages)")
            // Before the measurement.
            #expect(result.output.isEmpty && !result.messages.contains("1/1"))
        }
        #expect(try String(contentsOfFile: folder.file("notes.txt"), encoding: .utf8) == "mine")
        try ReportTests.stored().write(to: folder.file("report.json"))
        #expect(try bench(["--points", "64", "--save", "link"], in: folder).status == 0)
        // The link remains, and its target is the new report.
        #expect(try manager.destinationOfSymbolicLink(atPath: folder.file("link")) == "report.json")
        #expect(try BenchmarkReport(reading: folder.file("report.json")).steps.map(\.points) == [64])
    }

    @Test(arguments: [("folder", "a folder"), ("empty", "empty"), ("text", "not JSON"), ("/dev/null", "a device")])
    func whatIsNoReportIsNamed(_ name: String, _ reason: String) throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(
            atPath: folder.file("folder"), withIntermediateDirectories: false)
        try Data().write(to: URL(fileURLWithPath: folder.file("empty")))
        try Data("text".utf8).write(to: URL(fileURLWithPath: folder.file("text")))
        let result = try bench(["--points", "64", "--compare", name], in: folder)
        #expect(result.status == 65 && result.messages.contains(reason), "\(result.messages)")
    }

    @Test func whatDoesNotFitIsRefused() throws {
        let folder = try TemporaryFolder()
        let bench = try #require(Tool.built("pinn-bench"))
        // 2 GB of address space; a hundred million points alone take 2 GB.
        let limited = try Tool(path: "/bin/sh").run(
            [
                "-c", "ulimit -v 2000000; exec \"$0\" \"$@\"", bench.path, "--points", "64,100000000", "--network",
                "2x16",
                "--threads", "1",
            ], in: folder.path)
        #expect(limited.status == 64 && limited.messages.contains("ulimit -v"), "\(limited.messages)")
        #expect(limited.messages.split(separator: "\n").count == 1 && limited.output.isEmpty)
    }

    @Test func valuesAreMeasuredOnceAndChunksFitTheStore() throws {
        let folder = try TemporaryFolder()
        let result = try bench(
            [
                "--what", "step,stream", "--points", "64,64", "--threads", "1,1", "--stream-points", "2000", "--chunk",
                "4096", "--format", "json",
            ], in: folder)
        try #require(result.status == 0, "\(result.messages)")
        let report = try JSON.decode(BenchmarkReport.self, from: Data(result.output.utf8))
        #expect(report.steps.count == 1 && report.streams.map(\.chunk) == [2000])
        #expect(result.messages.contains("--chunk"))
    }

    @Test(arguments: [SIGINT, SIGTERM]) func aStopKeepsWhatWasMeasured(_ signal: Int32)
        throws
    {
        let folder = try TemporaryFolder()
        let bench = try #require(Tool.built("pinn-bench"))
        let result = try bench.run(
            ["--points", "64,128", "--network", "2x16", "--threads", "1", "--seconds", "2", "--save", "report.json"],
            in: folder.path
        ) { running in
            running.wait { $0.messages.contains("2/2 ") }
            running.send(signal)
        }
        #expect(result.status == 128 + signal && !result.died, "\(result.messages)")
        // Rows begin with their number of points.
        let rows = result.output.split(separator: "\n").compactMap { $0.split(separator: " ").first }
        #expect(rows.contains("64") && !rows.contains("128"), "\(result.output)")
        #expect(folder.names.isEmpty)
    }
}
