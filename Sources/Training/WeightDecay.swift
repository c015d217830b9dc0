import Runs

/// A penalty on the networks' squared weights θ: the prior that each is normally distributed with a variance of 1/α, where the
/// misfits to N observed values have errors of a variance that is not known. The most probable weights then minimise
///
///     N log L + α ‖θ‖²,   about a loss of L' the same as   L + α L'/N ‖θ‖²
///
/// (MacKay 1992, Neural Comput. 4(3), 448). Without noise the loss falls to nothing, and the penalty with it.
struct WeightDecay {
    /// α / N.
    private let share: Double
    /// α L' / N.
    private var coefficient = 0.0

    /// nil where it does nothing, and for methods that have no fixed batch.
    init?(_ context: TrainingContext, isBatchFixed: Bool) {
        let precision = context.configuration.weights.decay
        guard isBatchFixed, precision > 0, context.observedValues > 0 else { return nil }
        share = precision / Double(context.observedValues)
    }

    /// Takes the loss of the last iteration of which it is due, a function of the history: a resumed run agrees.
    ///
    /// - Parameter loss: of this iteration.
    /// - Returns: whether it is due now.
    mutating func update(_ loss: Double, at iteration: Int, phaseStart: Int, _ history: History) -> Bool {
        let last = iteration - (iteration - phaseStart) % WeightDecay.updateEvery
        coefficient = share * (last == iteration ? loss : history.totals[last])
        return last == iteration
    }

    private static let updateEvery = 100

    /// Adds it to a gradient, and returns what it adds to the loss.
    func add(at parameters: [Float], to gradient: inout [Float]) -> Double {
        let slope = Float(2 * coefficient)
        var sum = 0.0
        for k in parameters.indices {
            sum += Double(parameters[k]) * Double(parameters[k])
            gradient[k] += slope * parameters[k]
        }
        return coefficient * sum
    }
}
