import Fields
import Foundation
import TestSupport
import Testing

import Benchmarks

/// Reports: what is kept, what is derived, and what a reader sees.
@Suite struct ReportTests {
    /// A report as a file of this format holds it: what is written today must be read tomorrow.
    static let file = """
        {"format": "IceShelfPINN benchmark 1", "date": "2025-01-01T00:00:00Z", "label": "a1b2",
         "machine": {"processor": "a processor", "cores": 2, "memory_bytes": 8, "system": "Linux", "load": 0.1},
         "steps": [{"problem": "shallow-shelf", "network": "8x128", "backend": "cpu", "threads": 2, "points": 4096,
                    "device": "d", "peak_bytes": 30000000,
                    "measured": {"steps": 60, "step_seconds": 0.0625, "unit_seconds": 0.0152587890625, "points_per_second": 65536,
                                 "sgemm_rate": 2e11, "share": 0.9, "share_quartiles": [0.8, 1.0]}}],
         "streams": [{"network": "8x128", "backend": "cpu", "threads": 2, "device": "d", "points": 1000000,
                      "store_bytes": 8000000, "chunk": 10000, "points_per_iteration": 15000, "peak_bytes": 1,
                      "measured": {"steps": 5, "step_seconds": 0.2, "unit_seconds": 0.02, "points_per_second": 50000},
                      "warm": {"points_per_second": 1e8, "bytes_per_second": 1e9, "slowdown": 0.01,
                               "slowdown_quartiles": [0, 0.02], "waiting": 0}}],
         "stages": [{"stage": "ingest", "unit": "points", "count": 10, "file_bytes": 100, "runs": 3, "seconds": 0.25,
                     "peak_bytes": 5, "note": ""}]}
        """

    static func stored() throws -> BenchmarkReport { try JSON.decode(BenchmarkReport.self, from: Data(file.utf8)) }

    static func step(points: Int, threads: Int? = 2, seconds: Double = 0.5, steps: Int = 10, share: Double = 0.9) throws
        -> StepRow
    {
        var row = try stored().steps[0]
        row.points = points
        row.threads = threads
        row.measured = StepTiming(
            steps: [Double](repeating: seconds, count: steps), points: points, sgemmRates: [2e11],
            shares: [0, share - 0.1, share, share + 0.1, 2])
        return row
    }

    /// Steps alone.
    static func report(_ steps: [StepRow]) throws -> BenchmarkReport {
        var report = try stored()
        report.steps = steps
        report.streams = []
        report.stages = []
        return report
    }

    @Test func aReportReadsBackWhatItWrote() throws {
        let folder = try TemporaryFolder()
        var report = try Self.stored()
        #expect(try report.steps == [Self.step(points: 4096, seconds: 0.0625, steps: 60)])
        // A device without threads and yardstick.
        try report.steps.append(Self.step(points: 1024, threads: nil))
        try report.write(to: folder.file("report.json"))
        #expect(try BenchmarkReport(reading: folder.file("report.json")) == report)
        let text = try String(contentsOfFile: folder.file("report.json"), encoding: .utf8)
        #expect(text.contains("\"unit_seconds\"") && text.contains("\"peak_bytes\""))
    }

    @Test func somethingElseIsNoReport() throws {
        let folder = try TemporaryFolder()
        for text in ["", "{}", "[1]", "{\"format\": \"another\"}"] {
            try Data(text.utf8).write(to: URL(fileURLWithPath: folder.file("other.json")))
            #expect(throws: PlainFailure.self) { try BenchmarkReport(reading: folder.file("other.json")) }
        }
        let absent = #expect(throws: PlainFailure.self) { try BenchmarkReport(reading: folder.file("absent.json")) }
        #expect(absent?.kind == .missingInput)
    }

    @Test func unitTimeAndRateFollowFromTheStep() throws {
        let timing = try Self.step(points: 4096, seconds: 0.08192).measured
        #expect(abs(timing.unitSeconds - 0.02) < 1e-15)
        #expect(abs(timing.pointsPerSecond - 50_000) < 1e-9)
    }

    @Test func timeOfIterationsIsMarkedWhereFewerWereMade() throws {
        let few = try Self.step(points: 64, seconds: 0.001, steps: 1999).measured.time(iterations: 2000)
        #expect(few.isExtrapolated && few.seconds == 2)
        #expect(try !Self.step(points: 64, seconds: 0.001, steps: 2000).measured.time(iterations: 2000).isExtrapolated)
        let table = try Self.report([
            Self.step(points: 64, seconds: 0.001, steps: 2000), Self.step(points: 4096, seconds: 0.08),
        ]).tables[0]
        #expect(table.rows == [["64", "2 s"], ["4,096", "~ 2.667 min"]])
        #expect(table.notes.count == 1)
    }

    @Test func anIterationOfAStreamedStoreIsAPassOverIt() throws {
        let time = try Self.stored().streams[0].time(iterations: 2000)
        #expect(time.isExtrapolated)
        #expect(abs(time.seconds - 2000 * 100 * 0.2) < 1e-9)
    }

    @Test func rowsAreNumbersOfPointsAndColumnsAreDevices() throws {
        let report = try Self.report([
            Self.step(points: 64, threads: 1), Self.step(points: 64), Self.step(points: 1024, threads: 1),
        ])
        let table = report.tables[1]
        #expect(table.header == ["points", "cpu, 1 core", "cpu, 2 cores"])
        #expect(table.rows.map(\.first) == ["64", "1,024"])
        // What was not measured stays empty.
        #expect(table.rows[1].last == "")
    }

    @Test func moreThreadsThanCoresAreNoCores() throws {
        let report = try Self.report([Self.step(points: 64), Self.step(points: 64, threads: 64)])
        #expect(report.tables[2].header == ["points", "cpu, 2 cores", "cpu, 64 threads"])
        #expect(report.tables[2].notes.contains { $0.contains("mean nothing") })
        #expect(try !Self.report([Self.step(points: 64)]).tables[2].notes.contains { $0.contains("mean nothing") })
    }
}
