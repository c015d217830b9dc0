import Fields
import Foundation

/// Comparison of a report with an earlier one, row by row.
///
/// The primary figure is the share of the sgemm rate, which was measured at the same time: machines are shared and differ, and
/// seconds are comparable only on one quiet machine.
public struct Comparison: Encodable, Sendable {
    public struct Row: Encodable, Sendable {
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

    public struct DeviceChange: Encodable, Sendable, Equatable {
        public var before: String
        public var now: String
    }

    public var rows: [Row] = []
    /// Rows of this run that the earlier one lacks.
    public var unmatched: [String] = []
    public var sameProcessor: Bool
    /// Changes of kernels or libraries between the two runs, each pair once.
    public var otherDevices: [DeviceChange] = []

    public init(_ now: BenchmarkReport, against before: BenchmarkReport) {
        sameProcessor =
            now.machine.processor == before.machine.processor && now.machine.cores == before.machine.cores
        let old = Dictionary(Comparison.entries(before).map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        for entry in Comparison.entries(now) {
            guard let earlier = old[entry.name] else {
                unmatched.append(entry.name)
                continue
            }
            let change = DeviceChange(before: earlier.device, now: entry.device)
            if change.before != change.now, !otherDevices.contains(change) { otherDevices.append(change) }
            rows.append(
                Row(
                    name: entry.name, shareBefore: earlier.share, shareNow: entry.share, rateBefore: earlier.rate,
                    rateNow: entry.rate))
        }
    }

    /// Geometric mean of the ratios of shares; nil if no row has one.
    public var meanShareRatio: Double? {
        rows.compactMap(\.shareRatio).filter { $0 > 0 }.map { log($0) }.mean.map { exp($0) }
    }

    private typealias Entry = (name: String, share: Double?, rate: Double, device: String)

    private static func entries(_ report: BenchmarkReport) -> [Entry] {
        report.trainingRows.map { row -> Entry in
            // Row names do not depend on the machine's number of cores.
            let name = "\(row.title), \(deviceName(row.backend, row.threads, cores: 0))"
            return (name, row.measured.share, row.measured.pointsPerSecond, row.device)
        } + report.stages.map { ("\($0.stage) of \($0.count) \($0.unit)", nil, $0.perSecond, "") }
    }

    public var table: Table {
        func decimals(_ value: Double?) -> String { value.map { String(format: "%.3f", $0) } ?? "--" }
        var notes: [String] = []
        if rows.isEmpty { notes.append("No row in common with the earlier report.") }
        if let mean = meanShareRatio {
            notes.append(
                "Shares of the sgemm rate, now relative to before: \(decimals(mean)) in the geometric mean.")
        }
        notes.append(
            "Shares are relative to sgemm measured at the same time; points per second are comparable only on one quiet machine."
        )
        if !sameProcessor { notes.append("The earlier report is of another machine.") }
        notes += otherDevices.map { "Computed differently: before '\($0.before)', now '\($0.now)'." }
        if !unmatched.isEmpty { notes.append("Not in the earlier report: \(unmatched.joined(separator: "; ")).") }
        return Table(
            title: "Compared with the earlier report; above 1 is better",
            header: ["row", "share before", "now", "ratio", "per second before", "now", "ratio"],
            rows: rows.map {
                [
                    $0.name, decimals($0.shareBefore), decimals($0.shareNow), decimals($0.shareRatio),
                    NumberText.plain($0.rateBefore), NumberText.plain($0.rateNow), decimals($0.rateRatio),
                ]
            }, notes: notes)
    }
}
