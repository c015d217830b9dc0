import Fields

/// The timing of a step, and figures derived from it.
public struct StepTiming: Codable, Sendable, Equatable {
    /// Number of timed steps.
    public var steps: Int
    /// Median time of a step [s].
    public var stepSeconds: Double
    /// Unit time: time per point and 1000 iterations [s].
    public var unitSeconds: Double
    public var pointsPerSecond: Double
    /// Median sgemm rate of OpenBLAS between the steps [FLOP/s]; nil if OpenBLAS is no yardstick for the device.
    public var sgemmRate: Double?
    /// Rate of the step's products, over the whole time of the step, relative to OpenBLAS's: median, and first and third quartile
    /// over slices of a fraction of a second.
    public var share: Double?
    public var shareQuartiles: [Double]?

    /// - Parameters:
    ///   - steps: time of each [s].
    ///   - points: of a step.
    public init(steps: [Double], points: Int, sgemmRates: [Double], shares: [Double]) {
        self.steps = steps.count
        stepSeconds = steps.median ?? 0
        unitSeconds = stepSeconds * 1000 / Double(points)
        pointsPerSecond = Double(points) / stepSeconds
        sgemmRate = sgemmRates.median
        share = shares.median
        shareQuartiles = shares.isEmpty ? nil : shares.quartiles
    }

    /// The time of a number of iterations, and whether it is extrapolated from fewer.
    public func time(iterations: Int) -> (seconds: Double, isExtrapolated: Bool) {
        (stepSeconds * Double(iterations), steps < iterations)
    }
}
