import Foundation

/// Numbers and units as text for a report.
enum NumberText {
    /// Three significant digits: "0.523", "1230", "2.31e13".
    static func plain(_ value: Double) -> String {
        guard value.isFinite, value != 0 else { return value == 0 ? "0" : "--" }
        let rounded = Double(String(format: "%.2e", value)) ?? value
        let digits = Int(log10(abs(rounded)).rounded(.down))
        if digits > 4 || digits < -3 {
            let parts = String(format: "%.2e", value).split(separator: "e")
            return "\(trimmed(String(parts[0])))e\(Int(parts[1]) ?? 0)"
        }
        return trimmed(String(format: "%.\(max(0, 2 - digits))f", rounded))
    }

    /// Without trailing zeros of a fraction.
    private static func trimmed(_ text: String) -> String {
        guard text.contains(".") else { return text }
        return String(text.reversed().drop { $0 == "0" }.drop { $0 == "." }.reversed())
    }

    /// "2.31e13" as "2.31×10¹³", hyphens as minus signs.
    static func typeset(_ number: String) -> String {
        let parts = number.split(separator: "e").map { String($0.replacing("-", with: "−")) }
        guard parts.count == 2 else { return parts.first ?? "" }
        let power = "10" + superscript(parts[1])
        return parts[0] == "1" ? power : "\(parts[0])×\(power)"
    }

    static func typeset(_ value: Double) -> String { typeset(plain(value)) }

    /// With spaces between thousands.
    static func count(_ value: Int) -> String {
        var text = ""
        for (place, digit) in String(value).reversed().enumerated() {
            if place > 0, place % 3 == 0 { text.append("\u{202F}") }
            text.append(digit)
        }
        return String(text.reversed())
    }

    /// "m year-1" as "m yr⁻¹"; empty for "1".
    static func unit(_ symbol: String) -> String {
        symbol == "1" ? "" : symbol.replacing("year-1", with: "yr⁻¹")
    }

    private static func superscript(_ text: String) -> String {
        let digits = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
        return String(text.map { $0.wholeNumberValue.map { digits[$0] } ?? "⁻" })
    }
}

extension NumberText {
    /// The ending of an ordinal number: "nd" for 2.
    static func ordinalEnding(_ number: Int) -> String {
        if (11...13).contains(number % 100) { return "th" }
        return switch number % 10 {
        case 1: "st"
        case 2: "nd"
        case 3: "rd"
        default: "th"
        }
    }
}
