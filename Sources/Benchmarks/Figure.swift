import Foundation

/// Numbers as a person reads them.
package enum Figure {
    /// Three digits that mean something: "0.0189", "1.05", "207", "54300".
    package static func plain(_ value: Double) -> String {
        guard value.isFinite, value != 0 else { return value == 0 ? "0" : "--" }
        let digits = Int(log10(abs(value)).rounded(.down))
        let rounded =
            digits >= 3 ? (value / pow(10, Double(digits - 2))).rounded() * pow(10, Double(digits - 2)) : value
        return String(format: "%.\(max(0, 2 - digits))f", rounded)
    }

    /// "48.3 µs", "38.9 s", "2.81 h", "63.1 d".
    static func duration(_ seconds: Double) -> String {
        if seconds < 1e-3 { return "\(plain(seconds * 1e6)) µs" }
        if seconds < 1 { return "\(plain(seconds * 1e3)) ms" }
        if seconds < 3 * 3600 { return "\(plain(seconds)) s" }
        if seconds < 3 * 86400 { return "\(plain(seconds / 3600)) h" }
        return "\(plain(seconds / 86400)) d"
    }

    /// "~ 38.9 s" where it is extrapolated.
    static func duration(_ time: (seconds: Double, isExtrapolated: Bool)) -> String {
        (time.isExtrapolated ? "~ " : "") + duration(time.seconds)
    }

    /// "0.93 (0.91-0.95)"
    static func share(_ timing: StepTiming) -> String {
        guard let share = timing.share else { return "--" }
        guard let range = timing.shareQuartiles, range.count == 2 else { return String(format: "%.2f", share) }
        return String(format: "%.2f (%.2f-%.2f)", share, range[0], range[1])
    }

    static func megabytes(_ bytes: Int) -> String { "\(plain(Double(bytes) / 1e6)) MB" }

    /// "+0.4 % (-0.2 to 1.1)"
    static func percent(_ part: Double, _ range: [Double]) -> String {
        let value = String(format: "%+.1f %%", 100 * part)
        return range.count == 2 ? value + String(format: " (%.1f to %.1f)", 100 * range[0], 100 * range[1]) : value
    }
}
