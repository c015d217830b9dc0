import Benchmarks
import Foundation
import TestSupport
import Testing

/// The command itself, on problems that take no time.
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
            #expect(try #require(row.measured.matrixRate) > 1e8)
            #expect(row.measured.steps >= 3 && row.measured.stepSeconds > 0 && row.measured.stepSeconds < 1)
            // The libraries alone take ten; a matrix of the yardstick would add twelve to what a row needs.
            #expect(row.peakBytes > 5_000_000 && row.peakBytes < 200_000_000)
        }
        #expect(folder.names.isEmpty)
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
        #expect(result.output.contains("### Against the earlier report"))
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
}
