import Fields

/// The timing of a step, and figures derived from it.
public struct StepTiming: Codable, Sendable, Equatable {
    /// Number of timed steps.
    public let steps: Int
    /// Median time of a step [s].
    public let stepSeconds: Double
    /// Unit time: time per point and 1000 iterations [s].
    public let unitSeconds: Double
    public let pointsPerSecond: Double
    /// Median sgemm rate of OpenBLAS between the steps [FLOP/s]; nil if OpenBLAS is no yardstick for the device.
    public let sgemmRate: Double?
    /// Rate of the step's products, over the whole time of the step, relative to OpenBLAS's: median, and first and third quartile
    /// over slices of a fraction of a second.
    public let share: Double?
    public let shareQuartiles: [Double]?

    public init(
        steps: Int, stepSeconds: Double, points: Int, sgemmRate: Double?, share: Double?, shareQuartiles: [Double]?
    ) {
        self.steps = steps
        self.stepSeconds = stepSeconds
        unitSeconds = stepSeconds * 1000 / Double(points)
        pointsPerSecond = Double(points) / stepSeconds
        self.sgemmRate = sgemmRate
        self.share = share
        self.shareQuartiles = shareQuartiles
    }

    package init(_ measured: Alternation, points: Int) {
        self.init(
            steps: measured.steps.count, stepSeconds: measured.steps.median ?? 0, points: points,
            sgemmRate: measured.sgemmRates.median, share: measured.shares.median,
            shareQuartiles: measured.shares.isEmpty ? nil : measured.shares.quartiles)
    }

    /// The time of a number of iterations, and whether it is extrapolated from fewer.
    public func time(iterations: Int) -> (seconds: Double, isExtrapolated: Bool) {
        (stepSeconds * Double(iterations), steps < iterations)
    }
}
