import Foundation
import Testing

import Benchmarks

@Suite struct ComparisonTests {
    @Test func sharesAndRatesAreComparedRowByRow() throws {
        let before = try ReportTests.report([
            ReportTests.step(points: 1024, seconds: 1, share: 0.8),
            ReportTests.step(points: 4096, seconds: 4, share: 0.8),
        ])
        // In another order, and with one that is new.
        let now = try ReportTests.report([
            ReportTests.step(points: 4096, seconds: 8, share: 0.4),
            ReportTests.step(points: 1024, seconds: 0.5, share: 0.9),
            ReportTests.step(points: 16384, seconds: 1, share: 0.9),
        ])
        let comparison = Comparison(now, against: before)
        #expect(comparison.rows.map(\.rateRatio) == [0.5, 2])
        #expect(zip(comparison.rows, [0.5, 1.125]).allSatisfy { abs($0.shareRatio! - $1) < 1e-12 })
        #expect(abs(comparison.meanShareRatio! - (0.5 * 1.125).squareRoot()) < 1e-12)
        #expect(comparison.unmatched.count == 1 && comparison.unmatched[0].contains("16384"))
        #expect(comparison.sameProcessor)
    }

    @Test func aReportIsAsGoodAsItself() throws {
        let report = try ReportTests.stored()
        let comparison = Comparison(report, against: report)
        #expect(comparison.rows.count == 3 && comparison.unmatched.isEmpty)
        #expect(comparison.rows.allSatisfy { $0.rateRatio == 1 && $0.shareRatio ?? 1 == 1 })
    }

    @Test func threadsAndNetworksAreDifferentRows() throws {
        let comparison = try Comparison(
            ReportTests.report([ReportTests.step(points: 1024, threads: 1)]),
            against: ReportTests.report([ReportTests.step(points: 1024, threads: 2)]))
        #expect(comparison.rows.isEmpty && comparison.meanShareRatio == nil)
        #expect(comparison.table.notes.contains { $0.contains("No row in common") })
    }

    @Test func otherKernelsAreToldOnce() throws {
        let text = ReportTests.file.replacingOccurrences(of: "\"device\": \"d\"", with: "\"device\": \"other kernels\"")
        let before = try JSON.decode(BenchmarkReport.self, from: Data(text.utf8))
        let comparison = Comparison(try ReportTests.stored(), against: before)
        #expect(comparison.otherDevices.map { [$0.before, $0.now] } == [["other kernels", "d"]])
        #expect(comparison.table.notes.contains { $0.contains("before 'other kernels', now 'd'") })
    }

    @Test func anotherMachineIsTold() throws {
        var other = try ReportTests.report([ReportTests.step(points: 1024)])
        let here = other
        other.machine.processor = "another"
        let comparison = Comparison(here, against: other)
        #expect(!comparison.sameProcessor)
        #expect(comparison.table.notes.contains { $0.contains("another machine") })
    }
}
