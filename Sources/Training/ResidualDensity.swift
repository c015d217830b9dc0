import Glibc

/// The density of RAD, p(x) ∝ |r(x)|^k / E|r|^k + c (Wu et al. 2023, doi:10.1016/j.cma.2022.115671), over candidates that are
/// uniform on the shelf.
public struct ResidualDensity: Sendable {
    public let exponent: Double
    public let floor: Double

    public init(exponent: Double, floor: Double) {
        self.exponent = exponent
        self.floor = floor
    }

    /// p at every candidate, up to a factor. Uniform where no residual is left, or one is not finite: the loss will tell.
    public func weights(_ residuals: [Float]) -> [Double] {
        var weights = residuals.map { pow(Double($0), exponent) }
        let mean = weights.reduce(0, +) / Double(weights.count)
        let hasDensity = mean > 0 && mean.isFinite
        for place in weights.indices { weights[place] = hasDensity ? weights[place] / mean + floor : 1 }
        return weights
    }

    /// Places of `count` candidates, in their order, drawn with these weights by systematic sampling (Madow 1949, Ann. Math.
    /// Statist. 20): each is expected count · p / Σp times, exactly, for which one number `random` of [0, 1) is enough. A candidate
    /// that is due more than once comes more than once.
    public static func places(_ weights: [Double], count: Int, random: Double) -> [Int] {
        let step = weights.reduce(0, +) / Double(count)
        var places: [Int] = []
        places.reserveCapacity(count)
        var reached = 0.0
        for (place, weight) in weights.enumerated() {
            reached += weight
            while places.count < count, (Double(places.count) + random) * step < reached { places.append(place) }
        }
        // Where rounding has left the sum below the last step.
        while places.count < count { places.append(weights.count - 1) }
        return places
    }
}
