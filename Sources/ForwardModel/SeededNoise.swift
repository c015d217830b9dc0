import Foundation

/// Normally distributed numbers that depend on the seed alone: SplitMix64 (Steele, Lea & Flood 2014) through the
/// Box–Muller transform.
struct SeededNoise {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    private mutating func uniform() -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        z ^= z >> 31
        // In (0, 1], so that its logarithm is finite.
        return (Double(z >> 11) + 1) / 9_007_199_254_740_992
    }

    /// A number of mean 0 and standard deviation 1.
    mutating func next() -> Double {
        (-2 * log(uniform())).squareRoot() * cos(2 * .pi * uniform())
    }
}
