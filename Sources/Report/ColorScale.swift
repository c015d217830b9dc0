import Fields
import Foundation

/// Which colour belongs to which value: limits, the map between them, and the ticks of the colour bar.
struct ColorScale: Sendable, Equatable {
    enum Kind: Sendable {
        /// Amounts; by their logarithms where positive values differ by more than ten times.
        case amount, amountOrLogarithm
        /// Differences, the same to both sides of zero.
        case difference
    }

    let map: Map
    let low: Double
    let high: Double
    let isLogarithmic: Bool
    /// The least and the largest value.
    let least: Double
    let largest: Double

    enum Map { case viridis, blueRed }
    var colors: ColorMap { map == .viridis ? .viridis : .blueRed }

    /// A scale for finite values: its ends are the 1st and the 99th percentile, so that a few outliers do not take the colours
    /// of all others. Nil where there is no value.
    init?(_ values: [Float], _ kind: Kind) {
        let sorted = values.filter(\.isFinite).sorted()
        guard let first = sorted.first, let last = sorted.last else { return nil }
        func quantile(_ share: Double) -> Double { Double(sorted[Int((share * Double(sorted.count - 1)).rounded())]) }
        (least, largest) = (Double(first), Double(last))
        var (low, high) = (quantile(0.01), quantile(0.99))
        isLogarithmic = kind == .amountOrLogarithm && least > 0 && high > 10 * low
        if kind == .difference {
            high = max(abs(low), abs(high))
            low = -high
        }
        // A field that is the same everywhere.
        if high - low <= 1e-6 * max(abs(low), abs(high)) {
            let around = max(abs(high), 1e-30) * 0.1
            (low, high) = kind == .difference ? (-around, around) : (low - around, high + around)
        }
        map = kind == .difference ? .blueRed : .viridis
        self.low = low
        self.high = high
    }

    /// From 0 to 1; values beyond the limits have the colour of the limit.
    func place(of value: Double) -> Double {
        let place =
            isLogarithmic ? log(max(value, least) / low) / log(high / low) : (value - low) / (high - low)
        return min(1, max(0, place))
    }

    /// Values beyond the limits have the colours of the ends: the bar shows it.
    var extends: (below: Bool, above: Bool) { (least < low, largest > high) }

    /// The ticks' values and texts, in units of 10^exponent.
    var ticks: AxisTicks {
        isLogarithmic ? .logarithmic(low, high) : .linear(low, high, most: 7)
    }
}

/// Round numbers along an axis.
struct AxisTicks {
    struct Mark {
        let value: Double
        /// In units of 10^exponent: "0.5", "1e-3".
        let text: String
    }

    let marks: [Mark]
    /// Of a power of ten that stands beside the unit; 0 where the texts are the values.
    let exponent: Int

    /// Steps of 1, 2 or 5 times a power of ten, at most `most` of them.
    static func linear(_ low: Double, _ high: Double, most: Int) -> AxisTicks {
        let step = niceStep((high - low) / Double(most))
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

    /// 1, 2 and 5 of every decade, or 1 alone where there are more than three.
    ///
    /// - Parameter takesExponent: whether a power of ten may stand beside the unit.
    static func logarithmic(_ low: Double, _ high: Double, takesExponent: Bool = true) -> AxisTicks {
        let decades = Int(floor(log10(low)))...Int(ceil(log10(high)))
        let isWide = high > 1000 * low
        let exponent = isWide || !takesExponent ? 0 : commonExponent(of: high)
        // At most six or so, however many decades.
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

    /// The largest of 1, 2 and 5 times a power of ten that is not much below what is asked for, upwards.
    static func niceStep(_ atLeast: Double) -> Double {
        let power = pow(10, floor(log10(atLeast)))
        return power * ([1, 2, 5].first { $0 * power >= atLeast * 0.999 } ?? 10)
    }

    /// Zero for numbers that can be written out.
    private static func commonExponent(of size: Double) -> Int {
        size >= 1e5 || size < 1e-2 ? Int(floor(log10(size))) : 0
    }

    private static func power(_ decade: Int) -> String {
        (-3...4).contains(decade) ? NumberText.plain(pow(10, Double(decade))) : "1e\(decade)"
    }
}
