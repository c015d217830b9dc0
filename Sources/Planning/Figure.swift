import Foundation

/// Numbers as a person reads them.
public enum Figure {
    /// Four digits that mean something: "119.9", "3889", "3.511e5".
    public static func plain(_ value: Double) -> String {
        guard value.isFinite, value != 0 else { return value == 0 ? "0" : "--" }
        let size = abs(value)
        if size >= 99_999.5 || size < 0.001 {
            let text = String(format: "%.3e", value)
            let parts = text.split(separator: "e")
            return "\(trimmed(String(parts[0])))e\(Int(parts[1]) ?? 0)"
        }
        if value == value.rounded() { return String(Int(value)) }
        let digits = Int(log10(size).rounded(.down))
        return trimmed(String(format: "%.\(max(0, 3 - digits))f", value))
    }

    /// Without zeros at the end of a fraction.
    private static func trimmed(_ text: String) -> String {
        guard text.contains(".") else { return text }
        let kept = text.reversed().drop { $0 == "0" }.drop { $0 == "." }
        return String(kept.reversed())
    }

    /// "1.44 MB", rounded up: a need is not made smaller.
    public static func bytes(_ count: Int) -> String {
        let (unit, name) = count >= 999_500_000 ? (1e9, "GB") : (1e6, "MB")
        let value = Double(count) / unit
        let digits = value >= 100 ? 1.0 : value >= 10 ? 10.0 : 100.0
        let rounded = (value * digits).rounded(.up) / digits
        return "\(rounded == rounded.rounded() ? String(Int(rounded)) : String(rounded)) \(name)"
    }

    /// Hours, and what they mean where they are many or few.
    public static func hours(_ hours: Double) -> String {
        if hours < 1 / 60.0 { return "\(plain(hours * 3600)) s" }
        if hours < 1 { return "\(plain(hours * 60)) min" }
        return "\(plain(hours)) h"
    }
}
