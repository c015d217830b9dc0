import Fields

/// What was measured of a step, and what follows from it.
public struct StepTiming: Codable, Sendable, Equatable {
    /// Steps that were timed.
    public let steps: Int
    /// Median over the steps.
    public let stepSeconds: Double
    /// Seconds for a point and a thousand iterations.
    public let unitSeconds: Double
    public let pointsPerSecond: Double
    /// OpenBLAS's rate between the steps, the median [FLOP/s]; nil where OpenBLAS is no yardstick for the device.
    public let sgemmRate: Double?
    /// The rate of the step's products as a share of OpenBLAS's, as if a step were nothing else: median, first and third
    /// quartile over slices of a fraction of a second.
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

    /// The time of so many iterations, and whether it is extrapolated from fewer.
    public func time(iterations: Int) -> (seconds: Double, isExtrapolated: Bool) {
        (stepSeconds * Double(iterations), steps < iterations)
    }
}
