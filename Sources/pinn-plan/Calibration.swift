import Benchmarks
import CommandSupport
import Planning
import PointStore
import Runs

/// The unit time of this machine, from a few whole training steps; nil, and why, where they would not fit.
struct Calibration {
    let unitTime: Double?
    let source: String

    /// Flat from about a thousand points on: enough for a figure, few enough to take seconds.
    private static let maxPoints = 4096
    /// A tile of points: with fewer, a step measures what does not depend on their number.
    private static let minPoints = 32
    /// Of a step, a fraction of a second on two cores; the benchmark makes at least five.
    private static let stepOperations = 2e10
    /// Five such steps of the fewest points take longer than anyone waits for a plan.
    private static let maxOperations = 1e11
    /// The yardstick's three matrices of a thread, 1024 x 1024.
    private static let yardstickBytesPerThread = 3 * 4 << 20

    init(_ plan: TrainingConfiguration, store: StoreDescription, backend: String, threads: Int) throws {
        let networks = try plan.networks()
        // A point costs the networks that cover it.
        let weights =
            Double(networks.parameterCount / networks.decomposition.count) * networks.decomposition.meanOverlap
        // Six channels, forward and twice backward, a product and a sum each.
        let operations = 36 * weights
        let most = min(plan.stream.chunk, Calibration.maxPoints)
        let points = min(most, max(Calibration.minPoints, Int(Calibration.stepOperations / operations)))
        guard Double(points) * operations <= Calibration.maxOperations else {
            (unitTime, source) = (nil, "not measured: would take minutes; give it with --unit-time")
            return
        }
        guard try Calibration.fits(plan, store: store, points: points, backend: backend, threads: threads) else {
            (unitTime, source) = (nil, "not measured: would not fit; give it with --unit-time")
            return
        }
        var benchmark = StepBenchmark(points: points, backend: backend, threads: threads)
        (benchmark.network, benchmark.tiles, benchmark.fourier) = (plan.network, plan.tiles, plan.fourier)
        benchmark.seconds = 2
        unitTime = try benchmark.run { try Backends.make($0, $1, threads: $2) }.measured.unitSeconds
        source = "measured now with \(points) points on \(threads) thread\(threads == 1 ? "" : "s")"
    }

    /// Whether the limits leave room: a Swift program whose allocation fails dies without a word.
    private static func fits(
        _ plan: TrainingConfiguration, store: StoreDescription, points: Int, backend: String, threads: Int
    ) throws
        -> Bool
    {
        // The benchmark's own: Adam, its one set of points, and no history.
        var own = plan
        own.optimizer = TrainingConfiguration().optimizer
        own.stream = StreamConfiguration(chunk: points)
        own.iterations = 1
        let held = ProcessMemory.now
        let problem = try StepProblem.named(
            StepBenchmark(points: points, backend: backend, threads: threads).problem, plan.network,
            tiles: plan.tiles, fourier: plan.fourier)
        let device = try Backends.memory(
            backend, problem.residualProblem, counts: problem.residualProblem.programs.map { _ in points },
            threads: threads)
        let memory = try MemoryEstimate(
            own, objective: try own.objective(for: store), sizes: store.sizes(own.stream),
            backend: device + [("yardstick", threads * yardstickBytesPerThread)],
            threads: min(threads, Backends.defaultThreads),
            reservedPerThread: Backends.reservedPerThread, held: held)
        return MemoryLimit.all(holding: held).allSatisfy { memory.needed($0.measure) <= $0.bytes }
    }
}
