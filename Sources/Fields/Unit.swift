/// A unit of length, speed, stress or viscosity in a product's spelling, with its factor to SI.
///
/// UDUNITS reads "m a-1" as metres per are and does not parse "m y-1"; products use both, so the accepted spellings are listed
/// here. Callers must report a missing or unknown unit as an error.
public struct Unit: Sendable, Equatable {
    public enum Dimension: String, Sendable { case length, speed, stress, viscosity, mask }

    public let symbol: String
    public let dimension: Dimension
    /// The value of one such unit in SI units.
    public let factor: Double

    public static let meter = Unit(symbol: "m", dimension: .length, factor: 1)
    public static let metersPerYear = Unit(
        symbol: "m year-1", dimension: .speed, factor: 1 / Constants.secondsPerYear)
    public static let metersPerSecond = Unit(symbol: "m s-1", dimension: .speed, factor: 1)
    public static let pascal = Unit(symbol: "Pa", dimension: .stress, factor: 1)
    public static let pascalSecond = Unit(symbol: "Pa s", dimension: .viscosity, factor: 1)

    /// Parses a CF unit string; nil for an unknown unit.
    public init?(_ text: String) {
        let words = Unit.normalized(text)
        if let length = Unit.lengths[words] {
            self.init(symbol: text, dimension: .length, factor: length)
            return
        }
        // Millipascal and megapascal differ only in case, and no ice is that soft.
        let isMilli = text.contains("mPa")
        if let pressure = Unit.pressures[words], !isMilli {
            self.init(symbol: text, dimension: .stress, factor: pressure)
            return
        }
        if words == "kg m-1 s-1" {
            self.init(symbol: text, dimension: .viscosity, factor: 1)
            return
        }
        for (per, seconds) in Unit.times {
            if words.hasSuffix(" \(per)"), let pressure = Unit.pressures[String(words.dropLast(per.count + 1))],
                !isMilli
            {
                self.init(symbol: text, dimension: .viscosity, factor: pressure * seconds)
                return
            }
            for separator in ["/", " per ", " "] {
                let suffix = separator == " " ? " \(per)-1" : "\(separator)\(per)"
                guard words.hasSuffix(suffix) else { continue }
                let head = words.dropLast(suffix.count)
                if let length = Unit.lengths[String(head)] {
                    self.init(symbol: text, dimension: .speed, factor: length / seconds)
                    return
                }
            }
        }
        return nil
    }

    init(symbol: String, dimension: Dimension, factor: Double) {
        self.symbol = symbol
        self.dimension = dimension
        self.factor = factor
    }

    private static let lengths: [String: Double] = [
        "m": 1, "meter": 1, "meters": 1, "metre": 1, "metres": 1,
        "km": 1000, "kilometer": 1000, "kilometers": 1000, "kilometre": 1000, "kilometres": 1000,
        "cm": 0.01, "mm": 0.001,
    ]

    private static let pressures: [String: Double] = [
        "pa": 1, "pascal": 1, "kpa": 1e3, "mpa": 1e6, "gpa": 1e9,
    ]

    private static let times: [(String, Double)] = {
        var spellings: [(String, Double)] = []
        for year in ["year", "years", "yr", "yrs", "y", "annum", "a"] {
            spellings.append((year, Constants.secondsPerYear))
        }
        for day in ["day", "days", "d"] { spellings.append((day, 86400)) }
        for hour in ["hour", "hr", "h"] { spellings.append((hour, 3600)) }
        for second in ["second", "seconds", "sec", "s"] { spellings.append((second, 1)) }
        return spellings
    }()

    /// Lower case, single blanks, no '^', '**' or '.' between factors, no blanks around '/'.
    private static func normalized(_ text: String) -> String {
        var words = text.lowercased()
        for (old, new) in [
            ("**", ""), ("^", ""), ("{", ""), ("}", ""), ("(", ""), (")", ""), ("⁻¹", "-1"), ("−", "-"), (".", " "),
            ("·", " "), ("*", " "),
        ] {
            words = words.split(separator: old, omittingEmptySubsequences: false).joined(separator: new)
        }
        words = words.split(whereSeparator: { $0 == " " || $0 == "_" || $0 == "\t" }).joined(separator: " ")
        return words.split(separator: "/", omittingEmptySubsequences: false)
            .map { String($0).trimmingBlanks() }.joined(separator: "/")
    }
}

extension String {
    /// Without blanks, tabs and line ends at both ends.
    public func trimmingBlanks() -> String {
        let isBlank: (Character) -> Bool = { $0.isWhitespace || $0 == "\0" }
        return String(drop(while: isBlank).reversed().drop(while: isBlank).reversed())
    }
}
