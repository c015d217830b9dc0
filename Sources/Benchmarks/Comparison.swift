import Foundation

/// A report against an earlier one, row by row.
///
/// The primary figure is the share of the sgemm rate: machines are shared and differ, and the share was measured against
/// the same minutes' own yardstick. Seconds are comparable only on one quiet machine.
public struct Comparison: Codable, Sendable, Equatable {
    public struct Row: Codable, Sendable, Equatable {
        public var name: String
        public var shareBefore: Double?
        public var shareNow: Double?
        /// Points or cells a second.
        public var rateBefore: Double
        public var rateNow: Double

        /// Above 1: better than before.
        public var shareRatio: Double? {
            guard let shareBefore, let shareNow, shareBefore > 0 else { return nil }
            return shareNow / shareBefore
        }
        public var rateRatio: Double { rateBefore > 0 ? rateNow / rateBefore : 0 }
    }

    public var rows: [Row]
    /// Rows of this run that the earlier one has not.
    public var unmatched: [String]
    public var sameProcessor: Bool

    public init(_ now: BenchmarkReport, against before: BenchmarkReport) {
        let old = Dictionary(Comparison.entries(before).map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        rows = []
        unmatched = []
        for entry in Comparison.entries(now) {
            guard let earlier = old[entry.name] else {
                unmatched.append(entry.name)
                continue
            }
            rows.append(
                Row(
                    name: entry.name, shareBefore: earlier.share, shareNow: entry.share, rateBefore: earlier.rate,
                    rateNow: entry.rate))
        }
        sameProcessor =
            now.machine.processor == before.machine.processor && now.machine.cores == before.machine.cores
    }

    /// Geometric mean of the ratios of the shares, nil where no row has one.
    public var meanShareRatio: Double? {
        let logarithms = rows.compactMap(\.shareRatio).filter { $0 > 0 }.map { log($0) }
        guard !logarithms.isEmpty else { return nil }
        return exp(logarithms.reduce(0, +) / Double(logarithms.count))
    }

    private static func entries(_ report: BenchmarkReport) -> [(name: String, share: Double?, rate: Double)] {
        report.steps.map {
            (
                "\($0.problem) \($0.network), \($0.points) points, \(column($0.backend, $0.threads))",
                $0.measured.share, $0.measured.pointsPerSecond
            )
        }
            + report.streams.map {
                (
                    "streamed \($0.network), \($0.points) points by \($0.chunk), \(column($0.backend, $0.threads))",
                    $0.measured.share, $0.measured.pointsPerSecond
                )
            } + report.stages.map { ("\($0.stage) of \($0.count) \($0.unit)", nil, $0.perSecond) }
    }
}
