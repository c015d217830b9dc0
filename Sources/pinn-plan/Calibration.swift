import Benchmarks
import CommandSupport
import Optimizers
import Planning
import PointStore
import Runs

/// The unit time of this machine (seconds per point and 1000 iterations) from a few whole training steps; nil, and why,
/// where they would not fit.
struct Calibration {
    let unitTime: Double?
    let source: String

    /// The unit time hardly changes above about a thousand points, and so many take seconds.
    private static let maxPoints = 4096
    /// A tile of points: with fewer, a step's fixed costs are measured.
    private static let minPoints = 32
    /// Of a step, a fraction of a second on two cores; the benchmark makes at least five.
    private static let stepOperations = 2e10
    /// Five such steps of the fewest points take longer than anyone waits for a plan.
    private static let maxOperations = 1e11
    /// Three matrices of 1024 x 1024 for each thread, with which the benchmark measures the rate of products.
    private static let rateMatrixBytesPerThread = 3 * 4 << 20

    init(_ configuration: TrainingConfiguration, store: StoreDescription, threads: Int) throws {
        let networks = configuration.networks
        // A point takes the networks of the subdomains that cover it.
        let weights =
            Double(networks.parameterCount / networks.decomposition.count) * networks.decomposition.meanOverlap
        // Six channels, forward and twice backward, a multiplication and an addition each.
        let operations = 36 * weights
        let most = min(configuration.stream.chunk, Calibration.maxPoints)
        let points = min(most, max(Calibration.minPoints, Int(Calibration.stepOperations / operations)))
        guard Double(points) * operations <= Calibration.maxOperations else {
            (unitTime, source) = (nil, "not measured: would take minutes; give it with --unit-time")
            return
        }
        guard try Calibration.fits(configuration, store: store, points: points, threads: threads) else {
            (unitTime, source) = (nil, "not measured: would not fit; give it with --unit-time")
            return
        }
        let benchmark = Calibration.benchmark(configuration, points: points, threads: threads)
        unitTime = try benchmark.timeSteps { try Backends.make($0, $1, threads: $2) }.measured.unitSeconds
        source = "measured now with \(points) points on \(threads) thread\(threads == 1 ? "" : "s")"
    }

    private static func benchmark(_ configuration: TrainingConfiguration, points: Int, threads: Int) -> BenchmarkTask {
        let (backend, precision) = (configuration.backend, configuration.precision)
        var benchmark = BenchmarkTask()
        benchmark.points = points
        benchmark.backend = precision == .fp32 ? backend : "\(backend):\(precision.rawValue)"
        benchmark.threads = threads
        benchmark.network = configuration.network.shapes.description
        benchmark.subdomains = configuration.network.subdomains.description
        benchmark.fourier = configuration.network.fourier.description
        benchmark.seconds = 2
        return benchmark
    }

    /// Whether the limits leave room: a Swift program whose allocation fails dies without a message.
    private static func fits(
        _ configuration: TrainingConfiguration, store: StoreDescription, points: Int, threads: Int
    ) throws -> Bool {
        // The benchmark uses Adam, one set of points, and no history.
        var own = configuration
        own.phases = OptimizerPhases(Adam.self)
        own.stream = StreamConfiguration(chunk: points)
        own.iterations = 1
        let baseline = ProcessMemory.now
        let benchmark = benchmark(configuration, points: points, threads: threads)
        let problem = try benchmark.stepProblem.residualProblem
        let device = try Backends.memory(
            configuration.backend, problem, counts: problem.programs.map { _ in points }, threads: threads)
        let memory = MemoryEstimate(
            own, objective: own.objective(for: store), sizes: store.sizes(own.stream),
            backend: device + [("products to compare with", threads * rateMatrixBytesPerThread)],
            threads: min(threads, Backends.defaultThreads),
            reservedPerThread: Backends.reservedPerThread, baseline: baseline)
        return MemoryLimit.all(holding: baseline).allSatisfy { memory.needed($0.measure) <= $0.bytes }
    }
}
