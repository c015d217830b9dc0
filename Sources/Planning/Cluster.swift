/// Machines of one kind: how many, and how fast one of them is.
public struct NodeType: Sendable, Equatable, Codable {
    public let count: Int
    /// Seconds for a point and a thousand iterations.
    public let unitTime: Double

    public init(count: Int, unitTime: Double) {
        self.count = count
        self.unitTime = unitTime
    }

    /// What unit times may be [s]: from far below any machine's to far above, so that no product of theirs overflows.
    public static let unitTimes = 1e-12...1e6

    /// "32:0.0014"
    public init?(parsing text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let count = Double(parts[0]), (1...1e9).contains(count), count == count.rounded(),
            let unitTime = Double(parts[1]), NodeType.unitTimes.contains(unitTime)
        else { return nil }
        self.init(count: Int(count), unitTime: unitTime)
    }

    /// Hours of one instance for so many points, each in every iteration.
    public func hours(points: Double, iterations: Double) -> Double { points * iterations / 1000 * unitTime / 3600 }
}

/// Work on machines of several kinds at once.
public struct Cluster: Sendable {
    public let kinds: [NodeType]

    public init(_ kinds: [NodeType]) {
        precondition(!kinds.isEmpty)
        self.kinds = kinds
    }

    /// Hours where the work can be divided at will: rates add up, 1 / Σ (count / time of one).
    public func dividedHours(points: Double, iterations: Double) -> Double {
        1 / kinds.reduce(0) { $0 + Double($1.count) / $1.hours(points: points, iterations: iterations) }
    }

    /// Hours until the last of `jobs` equal jobs is done where each stays on one instance, dealt as well as possible: the
    /// smallest T with Σ count · ⌊T / time of a job⌋ ≥ jobs. Such a T ends a job of some kind, so for every kind the
    /// fewest jobs in a row are sought after which all kinds together have done enough.
    public func makespanHours(jobs: Int, pointsPerJob: Int, iterations: Double) -> Double {
        let hours = kinds.map { $0.hours(points: Double(pointsPerJob), iterations: iterations) }
        func isEnough(_ kind: Int, inARow: Int) -> Bool {
            let time = Double(inARow) * hours[kind]
            var left = Double(jobs)
            for (other, instances) in kinds.enumerated() {
                // A quotient that is whole may come out a rounding below it.
                let done = other == kind ? Double(inARow) : (time / hours[other] * (1 + 1e-12)).rounded(.down)
                left -= done * Double(instances.count)
            }
            return left <= 0
        }
        return kinds.indices.map { kind in
            var (tooFew, enough) = (0, (jobs + kinds[kind].count - 1) / kinds[kind].count)
            while enough - tooFew > 1 {
                let middle = (tooFew + enough) / 2
                if isEnough(kind, inARow: middle) { enough = middle } else { tooFew = middle }
            }
            return Double(enough) * hours[kind]
        }.min() ?? 0
    }
}
