import Glibc

/// A 64-bit hash of two numbers: the finaliser of SplitMix64 (Steele, Lea & Flood 2014). Equal on all machines, so that points,
/// orders, weights and noise are functions of their seed.
public func mixed(_ a: UInt64, _ b: UInt64) -> UInt64 {
    var z = a &+ (b &+ 1) &* 0x9e37_79b9_7f4a_7c15
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
}

/// A number in [0, 1) from 64 bits.
public func unitInterval(_ bits: UInt64) -> Double {
    Double(bits >> 11) * 0x1p-53
}

/// Independent standard normal numbers, by Box & Muller (1958); a function of the seed.
public struct NormalNumbers: Sendable {
    private let seed: UInt64
    private var drawn: UInt64 = 0

    public init(seed: UInt64) { self.seed = seed }

    public mutating func next() -> Double {
        let radius = (-2 * log(1 - uniform())).squareRoot()
        return radius * cos(2 * Double.pi * uniform())
    }

    private mutating func uniform() -> Double {
        defer { drawn += 1 }
        return unitInterval(mixed(seed, drawn))
    }
}
