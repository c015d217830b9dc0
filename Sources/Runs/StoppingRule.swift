/// When a run ends.
public enum StoppingRule: String, CaseIterable, Sendable {
    /// With its last iteration.
    case total
    /// Before it, where the loss is flat.
    case flat
}

/// When a loss is flat: it decreases no faster than by fitting noise.
///
/// The squared misfits of N observed values with independent errors, in units of their variances, are χ² of N: as long as
/// the networks learn about the ice they decrease in proportion, and where they only fit the errors, by less than one for
/// each new direction that a step opens (Akaike 1974 asks for two for a parameter). On a shelf with 5 % noise of three kinds the loss fell by
/// 140 to 310 of 70,684 values' χ² in 1000 iterations about where the viscosity is best, and by 1000 and more before; without
/// noise, to a fortieth in 2000 (docs/accuracy.md).
public enum PlateauCriterion {
    /// Iterations over which the decrease is measured: a method may stall for hundreds and continue.
    public static let window = 2000
    /// Decrease of χ² in so many iterations that counts as none.
    static let minDecrease = 700.0
    /// Fewer values are fitted more closely, but a loss that decreases by more than this share is not flat.
    static let maxRelativeDecrease = 0.05

    /// - Parameters:
    ///   - losses: of the same points, one an iteration.
    ///   - observedValues: numbers that were observed among them.
    public static func isReached(_ losses: ArraySlice<Double>, loss: Double, observedValues: Int) -> Bool {
        guard losses.count >= window, observedValues > 0 else { return false }
        return losses[losses.endIndex - window] - loss < loss
            * min(maxRelativeDecrease, minDecrease / Double(observedValues))
    }
}
