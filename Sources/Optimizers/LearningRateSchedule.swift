import Glibc

/// The learning rate as a function of the iteration within a phase. Everything else that it depends on is fixed when the run
/// starts, so a run that is extended later continues as if it had been given all iterations at once.
public struct LearningRateSchedule: Sendable, Equatable {
    /// How the rate decreases after the warm-up.
    public enum Decay: String, Sendable, CaseIterable {
        /// By one half in every half-life.
        case exponential
        /// Half a cosine over the phase, to a hundredth of the peak, where it stays (Loshchilov & Hutter 2017,
        /// without restarts).
        case cosine
        case constant
    }

    public var decay = Decay.exponential
    /// Rate after the warm-up.
    public var peak = 1e-3
    /// Iterations of linear increase, because Adam's first steps are noisy.
    public var warmUp = 100
    /// Iterations in which the rate decreases by one half; 0 keeps it constant.
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
