import Fields
import Foundation

/// The mapping from values to colours: limits, colour map, and the ticks of the colour bar.
struct ColorScale {
    enum Kind {
        /// Magnitudes, on a logarithmic scale where positive values span more than a factor of ten.
        case amount, amountOrLogarithm
        /// Differences, on a scale symmetric about zero.
        case difference
    }

    let colors: ColorMap
    let low: Double
    let high: Double
    let isLogarithmic: Bool
    /// The smallest and the largest value.
    let smallest: Double
    let largest: Double

    /// A scale for the finite values, from the 1st to the 99th percentile, so that a few outliers do not use up the colours;
    /// nil if there is no finite value.
    init?(_ values: [Float], _ kind: Kind) {
        guard let shares = values.filter(\.isFinite).quantiles([0, 0.01, 0.99, 1]) else { return nil }
        (smallest, largest) = (shares[0], shares[3])
        var (low, high) = (shares[1], shares[2])
        isLogarithmic = kind == .amountOrLogarithm && smallest > 0 && high > 10 * low
        if kind == .difference {
            high = max(abs(low), abs(high))
            low = -high
        }
        // A constant field.
        if high - low <= 1e-6 * max(abs(low), abs(high)) {
            let around = max(abs(high), 1e-30) * 0.1
            (low, high) = kind == .difference ? (-around, around) : (low - around, high + around)
        }
        colors = kind == .difference ? .blueRed : .viridis
        (self.low, self.high) = (low, high)
    }

    /// Position of a value from 0 to 1; values beyond the limits get the colour of the limit.
    func place(of value: Double) -> Double {
        let place =
            isLogarithmic ? log(max(value, smallest) / low) / log(high / low) : (value - low) / (high - low)
        return min(1, max(0, place))
    }

    /// Whether values lie beyond the limits, which the colour bar shows by arrows.
    var extends: (below: Bool, above: Bool) { (smallest < low, largest > high) }

    /// Values and labels of the ticks, labels in units of 10^exponent.
    var ticks: AxisTicks {
        isLogarithmic ? .logarithmic(low, high) : .linear(low, high, maxCount: 7)
    }
}

/// Ticks at round numbers along an axis.
struct AxisTicks {
    struct Mark {
        let value: Double
        /// The label, in units of 10^exponent: "0.5", "1e-3".
        let text: String
    }

    let marks: [Mark]
    /// Exponent of the power of ten that is written next to the unit; 0 where labels are the values.
    let exponent: Int

    /// A unit, typeset, with the power of ten that labels leave out: "10¹⁴ Pa s".
    func unit(_ symbol: String) -> String {
        (exponent == 0 ? "" : "\(NumberText.typeset("1e\(exponent)")) ") + NumberText.unit(symbol)
    }

    /// Ticks in steps of 1, 2 or 5 times a power of ten, about `maxCount` of them.
    static func linear(_ low: Double, _ high: Double, maxCount: Int) -> AxisTicks {
        let step = niceStep((high - low) / Double(maxCount))
        let exponent = commonExponent(of: max(abs(low), abs(high)))
        let unit = pow(10, Double(exponent))
        let decimals = max(0, -Int(floor(log10(step / unit) + 1e-9)))
        let first = Int((low / step - 1e-9).rounded(.up))
        let last = Int((high / step + 1e-9).rounded(.down))
        let marks = (first...max(first, last)).map { number in
            let value = Double(number) * step
            return Mark(value: value, text: String(format: "%.\(decimals)f", number == 0 ? 0 : value / unit))
        }
        return AxisTicks(marks: marks, exponent: exponent)
    }

    /// Ticks at 1, 2 and 5 of every decade, or at 1 alone over more than three decades. `takesExponent`: whether a power of
    /// ten may be written next to the unit.
    static func logarithmic(_ low: Double, _ high: Double, takesExponent: Bool = true) -> AxisTicks {
        let decades = Int(floor(log10(low)))...Int(ceil(log10(high)))
        let isWide = high > 1000 * low
        let exponent = isWide || !takesExponent ? 0 : commonExponent(of: high)
        // About six ticks at most, over any number of decades.
        let every = isWide ? (decades.count + 5) / 6 : 1
        var marks: [Mark] = []
        for decade in decades where decade % every == 0 {
            for digit in isWide ? [1] : [1, 2, 5] {
                let value = Double(digit) * pow(10, Double(decade))
                guard value >= low * 0.999, value <= high * 1.001 else { continue }
                let text = isWide ? power(decade) : NumberText.plain(value / pow(10, Double(exponent)))
                marks.append(Mark(value: value, text: text))
            }
        }
        return AxisTicks(marks: marks, exponent: exponent)
    }

    /// The smallest of 1, 2 and 5 times a power of ten that is not below `atLeast`.
    static func niceStep(_ atLeast: Double) -> Double {
        let power = pow(10, floor(log10(atLeast)))
        return power * ([1, 2, 5].first { $0 * power >= atLeast * 0.999 } ?? 10)
    }

    /// Exponent of the common power of ten; 0 for numbers that can be written out.
    private static func commonExponent(of size: Double) -> Int {
        size >= 1e5 || size < 1e-2 ? Int(floor(log10(size))) : 0
    }

    private static func power(_ decade: Int) -> String {
        (-3...4).contains(decade) ? NumberText.plain(pow(10, Double(decade))) : "1e\(decade)"
    }
}
