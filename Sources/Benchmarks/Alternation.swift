import ComputeCPU

/// Timings of steps and matrix products, interleaved in slices of a fraction of a second: on a shared machine both then see the
/// same disturbances, and their ratio is more stable than either.
package struct Alternation {
    /// Time of every step [s].
    package private(set) var steps: [Double] = []
    /// Rate of the matrix products in each of their slices [FLOP/s]; empty without a yardstick.
    package private(set) var sgemmRates: [Double] = []
    /// For each slice of steps, the rate of its products relative to the matrix rates before and after it.
    package private(set) var shares: [Double] = []

    private static let longestSlice = 0.4

    /// Runs for about `seconds` seconds.
    ///
    /// - Parameters:
    ///   - yardstick: measured between the slices of steps; nil for a device that OpenBLAS does not run on.
    ///   - estimate: time of a step, measured before [s].
    ///   - operations: floating-point operations of a step.
    ///   - minSlices: slices of steps that are run however long they take.
    package init(
        seconds: Double, yardstick: SGEMMRate?, estimate: Double, operations: Double, minSlices: Int = 3,
        step: () throws -> Void
    ) throws {
        let clock = ContinuousClock()
        let begin = clock.now
        let slice = min(Alternation.longestSlice, seconds / Double(2 * minSlices))
        let stepsInSlice = max(1, Int(slice / max(estimate, 1e-9)))
        // A long step sees more disturbances, so its yardstick runs longer too.
        let rateSlice = max(slice, min(1, estimate / 4))
        var before = yardstick?.sample(seconds: rateSlice)
        if let before { sgemmRates.append(before) }
        var slices = 0
        while slices < minSlices || (clock.now - begin) / .seconds(1) < seconds {
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
