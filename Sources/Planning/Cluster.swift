/// Machines of one type: how many, and how fast one of them is.
public struct NodeType: Sendable, Equatable, Codable {
    public let count: Int
    /// Time per point and 1000 iterations [s]: what one machine takes for 1000 iterations, divided by the points that it visits
    /// in each. The measure of speed here and in Wang et al. (2025); `--unit-time` gives it.
    public let unitTime: Double

    public init(count: Int, unitTime: Double) {
        self.count = count
        self.unitTime = unitTime
    }

    /// Accepted times per point and 1000 iterations [s], far below and above any machine's, so that no product overflows.
    public static let unitTimes = 1e-12...1e6

    /// "32:0.0014"
    public init?(parsing text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let count = Double(parts[0]), (1...1e9).contains(count), count == count.rounded(),
            let unitTime = Double(parts[1]), NodeType.unitTimes.contains(unitTime)
        else { return nil }
        self.init(count: Int(count), unitTime: unitTime)
    }

    /// Hours that one machine takes, with every point in every iteration.
    public func hours(points: Double, iterations: Double) -> Double { points * iterations / 1000 * unitTime / 3600 }
}

/// Machines of several types that share the work.
public struct Cluster: Sendable {
    public let types: [NodeType]

    public init(_ types: [NodeType]) {
        precondition(!types.isEmpty)
        self.types = types
    }

    /// Hours where the work can be divided arbitrarily: rates add up, 1 / Σ (count / time of one).
    public func dividedHours(points: Double, iterations: Double) -> Double {
        1 / types.reduce(0) { $0 + Double($1.count) / $1.hours(points: points, iterations: iterations) }
    }

    /// Hours until the last of `jobs` equal jobs is done where each runs on one machine, in the best distribution: the smallest
    /// T with Σ count · ⌊T / time of a job⌋ ≥ jobs. At this T some machine ends a job, so for every type a binary search finds
    /// the fewest consecutive jobs after which all machines together have done enough.
    public func makespanHours(jobs: Int, pointsPerJob: Int, iterations: Double) -> Double {
        let hours = types.map { $0.hours(points: Double(pointsPerJob), iterations: iterations) }
        func isEnough(_ type: Int, consecutive: Int) -> Bool {
            let time = Double(consecutive) * hours[type]
            var left = Double(jobs)
            for (other, instances) in types.enumerated() {
                // Rounding may put a whole quotient just below it.
                let done = other == type ? Double(consecutive) : (time / hours[other] * (1 + 1e-12)).rounded(.down)
                left -= done * Double(instances.count)
            }
            return left <= 0
        }
        return types.indices.map { type in
            var (tooFew, enough) = (0, (jobs + types[type].count - 1) / types[type].count)
            while enough - tooFew > 1 {
                let middle = (tooFew + enough) / 2
                if isEnough(type, consecutive: middle) { enough = middle } else { tooFew = middle }
            }
            return Double(enough) * hours[type]
        }.min() ?? 0
    }
}
