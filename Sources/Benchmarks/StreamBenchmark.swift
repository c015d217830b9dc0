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
        let warmPairs = try alternate(held, yardstick, estimate: estimate, visited, alone: warm)
        let coldPairs =
            canDrop
            ? try alternate(held, nil, estimate: estimate, visited, alone: cold) { PageCache.drop(task.path) } : nil
        return StreamRow(
            network: task.network, backend: task.backend, threads: task.threads, device: context.backend.summary,
            points: context.store.count(.collocation), storeBytes: try regularFileBytes(task.path),
            chunk: held.count(.collocation), pointsPerIteration: pointCounts(held).reduce(0, +),
            measured: warmPairs.timing, warm: warmPairs.reading, cold: coldPairs?.reading, peakBytes: peak)
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

    /// Streamed iterations and iterations in memory, alternating, so that both see the same disturbances.
    ///
    /// - Parameters:
    ///   - held: the chunk in memory.
    ///   - visited: number of iterations whose chunks were read before; nil: all.
    ///   - before: called before each streamed iteration, outside its timing.
    private func alternate(
        _ held: Chunk, _ yardstick: SGEMMRate?, estimate: Double, _ visited: Int?, alone: Rate,
        before: () -> Void = {}
    ) throws -> (timing: StepTiming, reading: StreamRow.Reading) {
        var number = 0
        var (streamed, ratios, waits): ([Double], [Double], [Double]) = ([], [], [])
        let operations = context.objective.residualProblem.productOperations(points: pointCounts(held))
        let measured = try Alternation(
            seconds: task.seconds, yardstick: yardstick, estimate: 2 * estimate, operations: 2 * operations,
            minSlices: StreamBenchmark.minPairs
        ) {
            let inMemory = try seconds { try step(held) }
            before()
            var wait = 0.0
            let time = try seconds {
                var chunk = held
                wait = try seconds { chunk = try context.stream.chunk(number) }
                try step(chunk)
            }
            // The first chunk of a sequence is not read ahead; in training that is one of thousands.
            let isReadAhead = number > 0
            number = number + 1 == visited ? 0 : number + 1
            guard isReadAhead else { return }
            streamed.append(time)
            ratios.append(time / inMemory)
            waits.append(wait / time)
        }
        let timing = StepTiming(
            steps: streamed, points: held.count(.collocation), sgemmRates: measured.sgemmRates,
            shares: measured.shares)
        let reading = StreamRow.Reading(
            pointsPerSecond: alone.pointsPerSecond, bytesPerSecond: alone.bytesPerSecond,
            slowdown: (ratios.median ?? 1) - 1, slowdownQuartiles: ratios.quartiles.map { $0 - 1 },
            waiting: waits.median ?? 0)
        return (timing, reading)
    }
}
