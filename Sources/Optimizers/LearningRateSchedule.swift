import Glibc

/// The learning rate as a function of the iteration alone, not of the total: a run that is given more iterations later
/// continues as if it had been asked for them at once.
public struct LearningRateSchedule: Sendable, Equatable {
    /// Rate after the warm-up.
    public var peak = 1e-3
    /// Iterations of linear rise, which spare Adam's first steps their noise.
    public var warmUp = 100
    /// The rate falls by half in so many iterations; 0 keeps it constant.
    public var halfLife = 3000

    public init() {}

    public func rate(iteration: Int) -> Double {
        let rise = warmUp > 0 ? min(1, Double(iteration + 1) / Double(warmUp)) : 1
        let fall = halfLife > 0 ? exp2(-Double(iteration) / Double(halfLife)) : 1
        return peak * rise * fall
    }
}
