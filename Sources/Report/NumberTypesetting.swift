import Fields

/// Numbers and units as a typeset page has them.
extension NumberText {
    /// "2.31e13" as "2.31×10¹³", and minus signs as such.
    static func typeset(_ number: String) -> String {
        let parts = number.split(separator: "e").map { String($0.replacing("-", with: "−")) }
        guard parts.count == 2 else { return parts.first ?? "" }
        let power = "10" + superscript(parts[1])
        return parts[0] == "1" ? power : "\(parts[0])×\(power)"
    }

    static func typeset(_ value: Double) -> String { typeset(plain(value)) }

    /// With narrow spaces between thousands.
    static func count(_ value: Int) -> String { grouped(value, by: "\u{202F}") }

    /// "m year-1" as "m yr⁻¹".
    static func unit(_ symbol: String) -> String { symbol == "1" ? "" : symbol.replacing("year-1", with: "yr⁻¹") }

    private static func superscript(_ text: String) -> String {
        let digits = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
        return String(text.map { $0.wholeNumberValue.map { digits[$0] } ?? "⁻" })
    }

    /// "nd" of 2nd.
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
