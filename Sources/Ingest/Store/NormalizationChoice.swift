import Fields

/// Chooses offsets and scales so that the network's inputs and outputs are of order one.
package enum NormalizationChoice {
    /// Positions: the bounding box becomes -1 ... 1 along each axis.
    package static func ofPositions(lowest: Double, highest: Double) -> Normalization {
        Normalization(offset: (lowest + highest) / 2, scale: (highest - lowest) / 2)
    }

    /// Values: the mean of the middle 99.8 % becomes 0, and their more distant end -1 or 1. Outliers are excluded: a single spike in a
    /// velocity map would compress all real values around zero.
    package static func ofValues(_ values: [Double]) -> Normalization {
        precondition(!values.isEmpty)
        let sorted = values.sorted()
        let cut = values.count / 1000
        let middle = sorted[cut..<values.count - cut]
        let mean = middle.reduce(0, +) / Double(middle.count)
        let reach = max(sorted[values.count - 1 - cut] - mean, mean - sorted[cut])
        // A field without variation still needs a scale: its own size, or one.
        let smallest = 1e-6 * max(abs(mean), 1e-6)
        return Normalization(offset: mean, scale: reach > smallest ? reach : (mean == 0 ? 1 : abs(mean)))
    }
}
