import Fields

/// Random Fourier features of a position: [cos B x, sin B x] in place of the two coordinates (Tancik et al. 2020,
/// NeurIPS 33; for physics-informed networks Wang, Wang & Perdikaris 2021, doi:10.1016/j.cma.2021.113938). A network on
/// coordinates learns smooth features first and sharp ones hardly at all; the standard deviation of B sets the length scale that is easy
/// to learn.
///
/// B is fixed, not trained, and the same in all subdomains. It is a function of the seed, so no file needs to hold it.
public struct FourierFeatures: Sendable, Equatable {
    /// Rows of B along x and y [rad per unit of the network's coordinates, in which the shelf or a subdomain is −1 … 1].
    public let frequencies: [SIMD2<Float>]

    public init(_ frequencies: [SIMD2<Float>]) {
        precondition(!frequencies.isEmpty)
        self.frequencies = frequencies
    }

    /// Normally distributed frequencies with mean 0 and standard deviation `deviation`.
    public init(count: Int, deviation: Double, seed: UInt64) {
        var numbers = NormalNumbers(seed: seed)
        self.init(
            (0..<count).map { _ in SIMD2(Float(deviation * numbers.next()), Float(deviation * numbers.next())) })
    }

    /// Number of features: all cosines, then all sines.
    public var count: Int { 2 * frequencies.count }
}
