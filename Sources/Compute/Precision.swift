/// Precision of the products of hidden layers; sums and everything else are in single precision. GPUs have units for the coarser
/// ones (ComputeCUDA); the CPU rounds the factors as those do, which is slower but shows what precision is enough.
public enum Precision: String, CaseIterable, Sendable {
    /// Single precision throughout.
    case fp32
    /// Factors rounded to 10 fraction bits.
    case tf32
    /// Factors split into two bfloat16 each, of which three products are summed.
    case bf16x3

    /// Rounds factors to this precision. (The fourth product of bf16x3, 2⁻¹⁸ of the whole, is computed here all the same.)
    public func round(_ factors: UnsafeMutablePointer<Float>, count: Int) {
        switch self {
        case .fp32: break
        case .tf32:
            for k in 0..<count { factors[k] = Float(bitPattern: (factors[k].bitPattern &+ 0x1000) & 0xFFFF_E000) }
        case .bf16x3:
            for k in 0..<count {
                let high = Precision.bfloat16(factors[k])
                factors[k] = high + Precision.bfloat16(factors[k] - high)
            }
        }
    }

    /// To the nearest, ties to even.
    @inline(__always)
    private static func bfloat16(_ number: Float) -> Float {
        let bits = number.bitPattern
        return Float(bitPattern: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) & 0xFFFF_0000)
    }
}
