import Planning
import TestSupport
import Testing

@Suite struct ClusterTests {
    static let gpu = NodeType(count: 32, unitTime: 0.0014)
    static let cpu = NodeType(count: 40, unitTime: 0.1264)

    /// The group's published estimate: 1e8 points, 1e5 iterations, 32 GPU instances and 40 CPU instances of 8 cores.
    @Test func thePublishedTimesAreReproduced() {
        func isPublished(_ hours: Double, _ published: Double) -> Bool { abs(hours / published - 1) < 0.005 }
        #expect(isPublished(Self.gpu.hours(points: 1e8, iterations: 1e5), 3.9e3))
        #expect(isPublished(Self.cpu.hours(points: 1e8, iterations: 1e5), 3.5e5))
        let cluster = Cluster([Self.gpu, Self.cpu])
        let divided = cluster.dividedHours(points: 1e8, iterations: 1e5)
        let whole = cluster.makespanHours(jobs: 1526, pointsPerJob: 65536, iterations: 1e5)
        // Theirs is 121 h, between the two; at 16 hours a day 180 h, which is the divided time.
        #expect(abs(divided - 119.9) < 0.05 && abs(whole - 122.3) < 0.05)
        #expect(divided < 121 && 121 < whole)
        #expect(isPublished(divided * 24 / 16, 180))
        // A unit time of two digits leaves more room than that.
        let fastest = Cluster([NodeType(count: 32, unitTime: 0.00135), Self.cpu])
        let slowest = Cluster([NodeType(count: 32, unitTime: 0.00145), Self.cpu])
        #expect(fastest.dividedHours(points: 1e8, iterations: 1e5) < 121)
        #expect(slowest.dividedHours(points: 1e8, iterations: 1e5) > 121)
    }

    @Test func aUnitTimeOfThreeTimesTakesThreeTimesAsLong() {
        let large = Cluster([Self.gpu, Self.cpu]).dividedHours(points: 1e8, iterations: 1e5)
        let small = Cluster([Self.gpu, Self.cpu].map { NodeType(count: $0.count, unitTime: 3 * $0.unitTime) })
        #expect(abs(small.dividedHours(points: 1e8, iterations: 1e5) / large - 3) < 1e-12)
        let whole = small.makespanHours(jobs: 24415, pointsPerJob: 4096, iterations: 1e5)
        #expect(abs(whole / large - 3) < 0.01)
    }

    /// Dealt one by one to whichever instance would end it first, which is optimal for equal jobs.
    private func dealt(_ types: [NodeType], jobs: Int) -> Double {
        var busy = types.flatMap { type in (0..<type.count).map { _ in (until: 0.0, job: type.unitTime) } }
        for _ in 0..<jobs {
            let next = busy.indices.min { busy[$0].until + busy[$0].job < busy[$1].until + busy[$1].job } ?? 0
            busy[next].until += busy[next].job
        }
        return busy.map(\.until).max() ?? 0
    }

    @Test(arguments: [1, 2, 3, 4, 5]) func wholeJobsEndWhenTheyDoIfDealtOneByOne(_ seed: UInt64) {
        var numbers = SeededNumbers(seed: seed)
        for _ in 0..<200 {
            let types = (0...numbers.next(below: 3)).map { _ in
                // Whole multiples of a unit now and then, so that ends coincide.
                NodeType(
                    count: 1 + numbers.next(below: 4),
                    unitTime: numbers.next(below: 2) == 0
                        ? Double(1 + numbers.next(below: 5)) * 0.1 : numbers.next(0.01..<1))
            }
            let jobs = 1 + numbers.next(below: 40)
            // A job of 3.6e6 points and one iteration takes the unit time, in hours.
            let makespan = Cluster(types).makespanHours(jobs: jobs, pointsPerJob: 3_600_000, iterations: 1)
            let expected = dealt(types, jobs: jobs)
            #expect(abs(makespan / expected - 1) < 1e-9, "seed \(seed): \(types), \(jobs) jobs")
        }
    }

    @Test(arguments: [6, 7]) func wholeJobsLieBetweenTheDividedTimeAndOneJobMore(_ seed: UInt64) {
        var numbers = SeededNumbers(seed: seed)
        for _ in 0..<500 {
            let types = (0...numbers.next(below: 4)).map { _ in
                NodeType(count: 1 + numbers.next(below: 1000), unitTime: numbers.next(0.001..<1))
            }
            let jobs = 1 + numbers.next(below: 1_000_000)
            let cluster = Cluster(types)
            let divided = cluster.dividedHours(points: Double(jobs) * 4096, iterations: 1e5)
            let makespan = cluster.makespanHours(jobs: jobs, pointsPerJob: 4096, iterations: 1e5)
            let longest = types.map { $0.hours(points: 4096, iterations: 1e5) }.max() ?? 0
            #expect(makespan >= divided * (1 - 1e-9), "seed \(seed): \(types), \(jobs) jobs")
            #expect(makespan <= (divided + longest) * (1 + 1e-9), "seed \(seed): \(types), \(jobs) jobs")
        }
    }

    @Test(arguments: ["", "32", "32:", ":1", "0:1", "1.5:1", "1:0", "1:-1", "1:nan", "1:inf", "1:1:1", "x:1"])
    func whatIsNoCountAndUnitTimeIsRefused(_ text: String) {
        #expect(NodeType(parsing: text) == nil)
    }
}
