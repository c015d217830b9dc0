/// How long the work takes: with every point in every iteration, as in the tables of Wang et al. (2025), and streamed, as
/// pinn-train works. Unit times are times per point and 1000 iterations [s] (`NodeType.unitTime`).
public struct TimeEstimate: Sendable {
    public let points: Double
    /// Of all members of an ensemble together.
    public let iterations: Double
    public let work: StreamedWork
    /// Of this machine, where it was given or measured.
    public let unitTime: Double?
    public let instances: [NodeType]
    public let pointsPerJob: Int
    /// Hours of a day in which the machines are available.
    public let hoursPerDay: Double

    public init(
        points: Int, iterations: Int, work: StreamedWork, unitTime: Double?, instances: [NodeType],
        pointsPerJob: Int, hoursPerDay: Double
    ) {
        self.points = Double(points)
        self.iterations = Double(iterations)
        self.work = work
        self.unitTime = unitTime
        self.instances = instances
        self.pointsPerJob = pointsPerJob
        self.hoursPerDay = hoursPerDay
    }

    /// Collocation points that a streamed run visits, with repetition.
    public var visits: Double { Double(work.collocation) * iterations }
    public var fullBatchVisits: Double { points * iterations }
    /// Whether one chunk holds all points: then streaming changes nothing.
    public var takesAllPoints: Bool { Double(work.collocation) >= points }
    public var jobs: Int { Int((points / Double(pointsPerJob)).rounded(.up)) }

    /// Expected total computation time: of one machine that visits every point in every iteration [h].
    public func fullBatchHours(_ unitTime: Double) -> Double {
        NodeType(count: 1, unitTime: unitTime).hours(points: points, iterations: iterations)
    }

    /// Of one machine that trains as pinn-train does [h].
    public func streamedHours(_ unitTime: Double) -> Double {
        work.equivalent * iterations / 1000 * unitTime / 3600
    }

    /// Expected total real time: of all machines together, the work divided arbitrarily [h].
    public var dividedHours: Double? {
        instances.isEmpty ? nil : Cluster(instances).dividedHours(points: points, iterations: iterations)
    }

    /// Of all machines together, in whole jobs [h].
    public var makespanHours: Double? {
        instances.isEmpty
            ? nil : Cluster(instances).makespanHours(jobs: jobs, pointsPerJob: pointsPerJob, iterations: iterations)
    }

    /// Elapsed hours for hours of work.
    public func onTheClock(_ hours: Double) -> Double { hours * 24 / hoursPerDay }
}
