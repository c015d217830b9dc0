import Glibc

/// The learning rate as a function of the iteration within a phase alone. What it depends on besides is fixed when the run
/// starts, so a run that is given more iterations later continues as if it had been asked for them at once.
public struct LearningRateSchedule: Sendable, Equatable {
    /// How the rate falls behind the warm-up.
    public enum Decay: String, Sendable, CaseIterable {
        /// By half in every half-life.
        case exponential
        /// Half a cosine over the phase, to a hundredth of the peak; what comes behind stays there (Loshchilov & Hutter 2017,
        /// without restarts).
        case cosine
        case constant
    }

    public var decay = Decay.exponential
    /// Rate after the warm-up.
    public var peak = 1e-3
    /// Iterations of linear rise, which spare Adam's first steps their noise.
    public var warmUp = 100
    /// The rate falls by half in so many iterations; 0 keeps it constant.
    public var halfLife = 3000
    /// Iterations of the phase, as `--optimizer adam:4000` gives them; a cosine needs them.
    public var length = 0

    public init() {}

    public func rate(iteration: Int) -> Double {
        let rise = warmUp > 0 ? min(1, Double(iteration + 1) / Double(warmUp)) : 1
        return peak * rise * fall(iteration: iteration)
    }

    private func fall(iteration: Int) -> Double {
        switch decay {
        case .exponential: return halfLife > 0 ? exp2(-Double(iteration) / Double(halfLife)) : 1
        case .cosine:
            let lowest = 0.01
            let part = min(1, Double(iteration) / Double(max(length, 1)))
            return lowest + (1 - lowest) * (1 + cos(.pi * part)) / 2
        case .constant: return 1
        }
    }
}
