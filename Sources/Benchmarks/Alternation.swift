import ComputeCPU

/// Steps and matrix products by turns, in slices of a fraction of a second: on a shared machine both then see the same
/// disturbances, and their ratio says more than either.
package struct Alternation {
    /// Every step [s].
    package private(set) var steps: [Double] = []
    /// The matrix products' rate in every slice of theirs [FLOP/s]; empty where there is no yardstick.
    package private(set) var sgemmRates: [Double] = []
    /// Of every slice of steps, the rate of its products as a share of the matrix rates before and after it.
    package private(set) var shares: [Double] = []

    private static let longestSlice = 0.4

    /// Runs for about so many seconds.
    ///
    /// - Parameters:
    ///   - yardstick: measured between the slices of steps; nil for a device that OpenBLAS does not run on.
    ///   - estimate: seconds of a step, from one that was made before.
    ///   - operations: those of a step.
    ///   - fewest: slices of steps that are made however long they take.
    package init(
        seconds: Double, yardstick: SGEMMRate?, estimate: Double, operations: Double, fewest: Int = 3,
        step: () throws -> Void
    ) throws {
        let clock = ContinuousClock()
        let begin = clock.now
        let slice = min(Alternation.longestSlice, seconds / Double(2 * fewest))
        let stepsInSlice = max(1, Int(slice / max(estimate, 1e-9)))
        // A long step sees more of its neighbourhood's noise, so its yardstick looks longer too.
        let rateSlice = max(slice, min(1, estimate / 4))
        var before = yardstick?.sample(seconds: rateSlice)
        if let before { sgemmRates.append(before) }
        var slices = 0
        while slices < fewest || (clock.now - begin) / .seconds(1) < seconds {
            var spent = 0.0
            for _ in 0..<stepsInSlice {
                let time = try clock.measure(step) / .seconds(1)
                steps.append(time)
                spent += time
            }
            slices += 1
            guard let yardstick, let rateBefore = before else { continue }
            let after = yardstick.sample(seconds: rateSlice)
            sgemmRates.append(after)
            shares.append(operations * Double(stepsInSlice) / spent / ((rateBefore + after) / 2))
            before = after
        }
    }
}
