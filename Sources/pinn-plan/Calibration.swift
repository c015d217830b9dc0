import Benchmarks
import CommandSupport

/// The unit time of this machine, from a few whole training steps.
struct Calibration {
    let unitTime: Double
    let source: String

    /// Flat from about a thousand points on: enough for a figure, few enough to take seconds.
    private static let mostPoints = 4096

    init(network: String, chunk: Int, backend: String, threads: Int) throws {
        let points = min(chunk, Calibration.mostPoints)
        var benchmark = StepBenchmark(points: points, backend: backend, threads: threads)
        benchmark.network = network
        benchmark.seconds = 2
        unitTime = try benchmark.run { try Backends.make($0, $1, threads: $2) }.measured.unitSeconds
        source = "measured now with \(points) points on \(threads) thread\(threads == 1 ? "" : "s")"
    }
}
