import Benchmarks
import CommandSupport
import Networks

/// The unit time of this machine, from a few whole training steps.
struct Calibration {
    let unitTime: Double
    let source: String

    /// Flat from about a thousand points on: enough for a figure, few enough to take seconds.
    private static let mostPoints = 4096

    init(networks: NetworkGroup, chunk: Int, backend: String, threads: Int) throws {
        let points = min(chunk, Calibration.mostPoints)
        let benchmark = try StepBenchmark(networks: networks, threads: threads) {
            try Backends.make(backend, $0, threads: threads)
        }
        unitTime = try benchmark.run(points: points, seconds: 2).unitTime
        source = "measured now with \(points) points on \(threads) thread\(threads == 1 ? "" : "s")"
    }
}
