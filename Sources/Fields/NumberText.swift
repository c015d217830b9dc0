import Foundation

/// Numbers as a person reads them, in every table, message and picture.
public enum NumberText {
    /// A number to four significant digits, without zeros at the end of a fraction: "119.9", "3889", "3.511e5". Whole numbers
    /// below 100,000 are given in full; NaN and infinity are "--".
    public static func plain(_ value: Double) -> String {
        guard value.isFinite else { return "--" }
        if value == value.rounded(), abs(value) < 99_999.5 { return String(Int(value)) }
        let parts = String(format: "%.3e", value).split(separator: "e").map(String.init)
        let exponent = Int(parts[1]) ?? 0
        if exponent > 4 || exponent < -3 { return "\(withoutTrailingZeros(parts[0]))e\(exponent)" }
        let rounded = Double("\(parts[0])e\(parts[1])") ?? value
        return withoutTrailingZeros(String(format: "%.\(max(0, 3 - exponent))f", rounded))
    }

    private static func withoutTrailingZeros(_ text: String) -> String {
        guard text.contains(".") else { return text }
        return String(text.reversed().drop { $0 == "0" }.drop { $0 == "." }.reversed())
    }

    /// "1.44 MB", rounded up: what is announced as needed is enough.
    public static func bytes(_ count: Int) -> String {
        let (unit, name) = count >= 999_500_000 ? (1e9, "GB") : (1e6, "MB")
        let value = Double(count) / unit
        let digits = value >= 100 ? 1.0 : value >= 10 ? 10.0 : 100.0
        return "\(plain((value * digits).rounded(.up) / digits)) \(name)"
    }

    /// "48.3 µs", "38.9 s", "12 min", "2.81 h".
    public static func duration(_ seconds: Double) -> String {
        let (unit, name) =
            seconds < 1e-3
            ? (1e-6, "µs")
            : seconds < 1 ? (1e-3, "ms") : seconds < 60 ? (1, "s") : seconds < 3600 ? (60, "min") : (3600, "h")
        return "\(plain(seconds / unit)) \(name)"
    }

    /// "65,536"
    public static func grouped(_ number: Int, by separator: String = ",") -> String {
        var text = ""
        for (place, digit) in String(number).enumerated() {
            if place > 0, digit.isNumber, (String(number).count - place) % 3 == 0, text != "-" { text += separator }
            text.append(digit)
        }
        return text
    }
}
