import Compute
import ComputeCPU
import Fields
import NetCDFFiles
import Optimizers
import Planning
import PointStore
import Runs
import Training

/// Timing of training iterations from a store, assembled as in pinn-train (chunks of all sets, its objective), against the
/// same with the points in memory; and of the stream alone.
final class StreamBenchmark {
    private let task: BenchmarkTask
    private let context: TrainingContext
    private let clock = ContinuousClock()
    private var parameters: [Float]
    private var optimizer: Adam
    private var gradient: [Float] = []

    /// Smallest number of pairs: three do not resolve a slowdown of a percent. (Only half of the first counts.)
    private static let minPairs = 9

    init(_ task: BenchmarkTask, _ makeBackend: BackendMaker) throws {
        self.task = task
        var configuration = TrainingConfiguration()
        configuration.store = task.path
        configuration.network = try NetworkConfiguration(parsing: task.network)
        configuration.stream = StreamConfiguration(chunk: task.points)
        context = try TrainingContext(configuration) { try makeBackend(task.backend, $0, task.threads) }
        parameters = context.objective.residualProblem.networks.initialParameters(seed: 0)
        optimizer = Adam(parameterCount: parameters.count, options: OptimizerOptions())
    }

    func run() throws -> StreamRow {
        let stream = context.stream
        PageCache.drop(task.path)
        let canDrop = (PageCache.residentShare(of: task.path) ?? 1) < 0.05
        let cold = try readAlone(first: nil)
        // The same chunks again, now cached and with verified checksums.
        let warm = try readAlone(first: cold.iterations)

        try step(try stream.chunk(0))
        let held = try stream.chunk(0)
        let estimate = try seconds { try step(held) }
        let peak = ProcessMemory.peakBytes

        let visited = cold.iterations < stream.iterationsPerEpoch ? cold.iterations : nil
        let yardstick = task.threads.map { SGEMMRate(threads: $0) }
        var warmPairs = Pairs(visited: visited)
        let alternation = try alternate(&warmPairs, held, yardstick, stepSeconds: estimate)
        var coldPairs = Pairs(visited: visited)
        if canDrop {
            _ = try alternate(&coldPairs, held, nil, stepSeconds: estimate) { PageCache.drop(task.path) }
        }
        return StreamRow(
            network: task.network, backend: task.backend, threads: task.threads, device: context.backend.summary,
            points: context.store.count(.collocation), storeBytes: try regularFileBytes(task.path),
            chunk: held.count(.collocation), pointsPerIteration: pointCounts(held).reduce(0, +),
            measured: StepTiming(
                steps: warmPairs.streamed, points: held.count(.collocation), sgemmRates: alternation.sgemmRates,
                shares: alternation.shares),
            warm: warmPairs.reading(warm), cold: canDrop ? coldPairs.reading(cold) : nil, peakBytes: peak)
    }

    private func seconds(_ work: () throws -> Void) rethrows -> Double { try clock.measure(work) / .seconds(1) }

    private func pointCounts(_ chunk: Chunk) -> [Int] { context.objective.sets.map { chunk.count($0) } }

    // MARK: The stream alone

    private struct Rate {
        var iterations = 0
        var pointsPerSecond = 0.0
        var bytesPerSecond = 0.0
    }

    /// Reads chunk after chunk for a quarter of the time: at most an epoch, or the first chunks repeatedly.
    private func readAlone(first visited: Int?) throws -> Rate {
        let begin = clock.now
        var rate = Rate()
        var elapsed = 0.0
        repeat {
            let chunk = try context.stream.chunk(visited.map { rate.iterations % $0 } ?? rate.iterations)
            for columns in chunk.columns.values {
                rate.pointsPerSecond += Double(columns.first?.count ?? 0)
                rate.bytesPerSecond += Double(4 * columns.reduce(0) { $0 + $1.count })
            }
            rate.iterations += 1
            elapsed = (clock.now - begin) / .seconds(1)
        } while (visited != nil || rate.iterations < context.stream.iterationsPerEpoch)
            && (rate.iterations < 2 || elapsed <= task.seconds / 4)
        rate.pointsPerSecond /= elapsed
        rate.bytesPerSecond /= elapsed
        return rate
    }

    // MARK: Iterations

    /// An iteration: loss, gradient and Adam on a chunk.
    private func step(_ chunk: Chunk) throws {
        let loss = try context.objective.evaluate(
            context.backend, parameters: parameters, chunk: chunk, gradient: &gradient)
        optimizer.step(&parameters, loss: loss.total, gradient: gradient) { _, _ in 0 }
    }

    /// Times of streamed iterations, each relative to one in memory just before it.
    private struct Pairs {
        /// Number of iterations whose chunks were read before; nil: all.
        let visited: Int?
        var number = 0
        var streamed: [Double] = []
        var ratios: [Double] = []
        var waits: [Double] = []

        init(visited: Int?) { self.visited = visited }

        func reading(_ alone: Rate) -> StreamRow.Reading {
            StreamRow.Reading(
                pointsPerSecond: alone.pointsPerSecond, bytesPerSecond: alone.bytesPerSecond,
                slowdown: (ratios.median ?? 1) - 1, slowdownQuartiles: ratios.quartiles.map { $0 - 1 },
                waiting: waits.median ?? 0)
        }
    }

    /// Streamed iterations and iterations in memory, alternating, so that both see the same disturbances.
    ///
    /// - Parameter before: called before each streamed iteration, outside its timing.
    private func alternate(
        _ pairs: inout Pairs, _ held: Chunk, _ yardstick: SGEMMRate?, stepSeconds: Double, before: () -> Void = {}
    ) throws -> Alternation {
        let operations = context.objective.residualProblem.productOperations(points: pointCounts(held))
        return try Alternation(
            seconds: task.seconds, yardstick: yardstick, estimate: 2 * stepSeconds, operations: 2 * operations,
            minSlices: StreamBenchmark.minPairs
        ) {
            let inMemory = try seconds { try step(held) }
            before()
            var wait = 0.0
            let time = try seconds {
                var chunk: Chunk?
                wait = try seconds { chunk = try context.stream.chunk(pairs.number) }
                if let chunk { try step(chunk) }
            }
            // The first chunk of a sequence is not read ahead; in training that is one of thousands.
            let isReadAhead = pairs.number > 0
            pairs.number = pairs.number + 1 == pairs.visited ? 0 : pairs.number + 1
            guard isReadAhead else { return }
            pairs.streamed.append(time)
            pairs.ratios.append(time / inMemory)
            pairs.waits.append(wait / time)
        }
    }
}
