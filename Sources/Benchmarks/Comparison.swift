import Foundation

/// Comparison of a report with an earlier one, row by row.
///
/// The primary figure is the share of the sgemm rate, which was measured at the same time: machines are shared and differ, and
/// seconds are comparable only on one quiet machine.
public struct Comparison: Codable, Sendable, Equatable {
    public struct Row: Codable, Sendable, Equatable {
        public var name: String
        public var shareBefore: Double?
        public var shareNow: Double?
        /// Points or cells per second.
        public var rateBefore: Double
        public var rateNow: Double

        /// Ratio of the shares; above 1 is better than before.
        public var shareRatio: Double? {
            guard let shareBefore, let shareNow, shareBefore > 0 else { return nil }
            return shareNow / shareBefore
        }
        public var rateRatio: Double { rateBefore > 0 ? rateNow / rateBefore : 0 }
    }

    public var rows: [Row]
    /// Rows of this run that the earlier one lacks.
    public var unmatched: [String]
    public var sameProcessor: Bool
    /// Changes of kernels or libraries between the two runs, each pair once.
    public var otherDevices: [DeviceChange]

    public struct DeviceChange: Codable, Sendable, Equatable {
        public var before: String
        public var now: String

        public init(before: String, now: String) {
            self.before = before
            self.now = now
        }
    }

    public init(_ now: BenchmarkReport, against before: BenchmarkReport) {
        let old = Dictionary(Comparison.entries(before).map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        rows = []
        unmatched = []
        otherDevices = []
        for entry in Comparison.entries(now) {
            guard let earlier = old[entry.name] else {
                unmatched.append(entry.name)
                continue
            }
            if let deviceBefore = earlier.device, let device = entry.device, deviceBefore != device {
                let change = DeviceChange(before: deviceBefore, now: device)
                if !otherDevices.contains(change) { otherDevices.append(change) }
            }
            rows.append(
                Row(
                    name: entry.name, shareBefore: earlier.share, shareNow: entry.share, rateBefore: earlier.rate,
                    rateNow: entry.rate))
        }
        sameProcessor =
            now.machine.processor == before.machine.processor && now.machine.cores == before.machine.cores
    }

    /// Geometric mean of the ratios of shares; nil if no row has one.
    public var meanShareRatio: Double? {
        let logarithms = rows.compactMap(\.shareRatio).filter { $0 > 0 }.map { log($0) }
        guard !logarithms.isEmpty else { return nil }
        return exp(logarithms.reduce(0, +) / Double(logarithms.count))
    }

    private struct Entry {
        let name: String
        let share: Double?
        let rate: Double
        let device: String?
    }

    private static func entries(_ report: BenchmarkReport) -> [Entry] {
        // Row names do not depend on the machine's number of cores.
        func device(_ backend: String, _ threads: Int?) -> String { column(backend, threads, cores: 0) }
        let steps = report.steps.map {
            Entry(
                name: "\($0.problem) \($0.network), \($0.points) points, \(device($0.backend, $0.threads))",
                share: $0.measured.share, rate: $0.measured.pointsPerSecond, device: $0.device)
        }
        let streams = report.streams.map {
            Entry(
                name:
                    "streamed \($0.network), \($0.points) points by \($0.chunk), \(device($0.backend, $0.threads))",
                share: $0.measured.share, rate: $0.measured.pointsPerSecond, device: $0.device)
        }
        let stages = report.stages.map {
            Entry(name: "\($0.stage) of \($0.count) \($0.unit)", share: nil, rate: $0.perSecond, device: nil)
        }
        return steps + streams + stages
    }
}
