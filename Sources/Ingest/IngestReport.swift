import Fields
import PointStore

/// What was read, kept and dropped, and why.
public struct IngestReport: Sendable {
    public struct Source: Sendable {
        public var role: String
        public var file: String
        public var product: String
        public var rows: Int
        public var columns: Int
        /// [m]
        public var spacing: Double

        /// As two lines of a report.
        func lines(_ addition: String = "") -> [String] {
            [
                IngestReport.row(role, "\(file): \(product)"),
                IngestReport.row("", "\(columns) x \(rows) cells of \(plain(spacing)) m\(addition)"),
            ]
        }
    }

    /// How many cells or faces of one kind were kept and dropped.
    public struct Tally: Sendable {
        public var what: String
        public var kept: Int
        public var dropped: [(count: Int, why: String)]
        /// What their misfits are weighted by; nil where all weights are equal.
        public var weights: String?

        /// "194565 kept; dropped 12 without data; weighted by their errors (median 3.1 m yr-1)"
        var text: String {
            let losses = dropped.filter { $0.count > 0 }.map { "\($0.count) \($0.why)" }
            return "\(kept) kept" + (losses.isEmpty ? "" : "; dropped \(losses.joined(separator: ", "))")
                + (weights.map { "; weighted by \($0)" } ?? "")
        }
    }

    public var sources: [Source] = []
    public var tallies: [Tally] = []
    public var counts: [PointSet: Int] = [:]
    public var scales = Scales(length: 1, speed: 1, thickness: 1)
    public var normalizations: [Column: Normalization] = [:]
    public var store = ""
    public var storeBytes = 0
    /// What a user should know and may want to act on.
    public var warnings: [String] = []

    /// The report as lines of text.
    public var lines: [String] {
        sources.flatMap { $0.lines() } + tallies.map { Self.row($0.what, $0.text) } + [
            Self.row("collocation", "\(counts[.collocation] ?? 0) points"),
            Self.row(
                "scales",
                "length \(Self.rounded(scales.length / 1000)) km, speed \(Self.rounded(scales.speed * Constants.secondsPerYear)) m yr-1, thickness \(Self.rounded(scales.thickness)) m"
            ),
            Self.row("store", "\(store), \(Self.rounded(Double(storeBytes) / 1e6)) MB"),
        ]
    }

    static func row(_ title: String, _ text: String) -> String {
        title + String(repeating: " ", count: max(1, 18 - title.count)) + text
    }

    static func rounded(_ number: Double) -> String {
        plain((number * 10).rounded() / 10)
    }
}
