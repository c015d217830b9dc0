import Compute
import ComputeCPU
import Fields
import Glibc
import Optimizers
import Planning
import PointStore
import Runs
import Training

/// Timing of training iterations from a store, assembled as in pinn-train (chunks of all sets, its objective), against the
/// same with the points in memory; and of the stream alone.
public struct StreamBenchmark: Codable, Sendable {
    public var network = "8x128"
    public var store: String
    /// Collocation points per iteration; the sizes of other sets follow as in `pinn-train --stream chunk=...`.
    public var chunk = 65536
    public var backend: String
    public var threads: Int?
    public var seconds: Double

    /// Smallest number of pairs: three do not resolve a slowdown of a percent. (Only half of the first counts.)
    private static let minPairs = 9

    public init(store: String, backend: String, threads: Int?, seconds: Double) {
        self.store = store
        self.backend = backend
        self.threads = threads
        self.seconds = seconds
    }

    public func run(_ makeBackend: BackendMaker) throws -> StreamRow {
        var configuration = TrainingConfiguration()
        configuration.store = store
        configuration.network = try NetworkConfiguration(parsing: network)
        configuration.stream = StreamConfiguration(chunk: chunk)
        let context = try TrainingContext(configuration) { try makeBackend(backend, $0, threads) }
        let canDrop = dropCache()
        let cold = try readAlone(context.stream, visited: nil)
        // The same chunks again, now cached and with verified checksums.
        let warm = try readAlone(context.stream, visited: cold.iterations)

        var iteration = try Iteration(context)
        try iteration.step(try context.stream.chunk(0))
        let held = try context.stream.chunk(0)
        let estimate = try ContinuousClock().measure { try iteration.step(held) } / .seconds(1)
        let peak = ProcessMemory.peakBytes

        let counts = context.objective.sets.map { held.count($0) }
        let operations = 2 * context.objective.residualProblem.productOperations(points: counts)
        let visited = cold.iterations < context.stream.iterationsPerEpoch ? cold.iterations : nil
        let yardstick = threads.map { SGEMMRate(threads: $0) }
        var warmPairs = Pairs(context.stream, held, visited)
        let alternation = try Alternation(
            seconds: seconds, yardstick: yardstick, estimate: 2 * estimate, operations: operations,
            minSlices: StreamBenchmark.minPairs
        ) {
            try warmPairs.next(&iteration)
        }
        var coldPairs = Pairs(context.stream, held, visited)
        if canDrop {
            _ = try Alternation(
                seconds: seconds, yardstick: nil, estimate: 2 * estimate, operations: operations,
                minSlices: StreamBenchmark.minPairs
            ) {
                try coldPairs.next(&iteration) { PageCache.drop(store) }
            }
        }
        return StreamRow(
            network: network, backend: backend, threads: threads, device: context.backend.summary,
            points: context.store.count(.collocation), storeBytes: byteCount, chunk: held.count(.collocation),
            pointsPerIteration: counts.reduce(0, +),
            measured: StepTiming(
                steps: warmPairs.streamed.count, stepSeconds: warmPairs.streamed.median ?? estimate,
                points: held.count(.collocation), sgemmRate: alternation.sgemmRates.median,
                share: alternation.shares.median,
                shareQuartiles: alternation.shares.isEmpty ? nil : alternation.shares.quartiles),
            warm: warmPairs.reading(warm), cold: canDrop ? coldPairs.reading(cold) : nil, peakBytes: peak)
    }

    // MARK: The stream alone

    private struct Rate {
        var iterations: Int
        var pointsPerSecond: Double
        var bytesPerSecond: Double
    }

    /// Reads chunk after chunk for a quarter of the time: at most an epoch, or the first chunks repeatedly.
    private func readAlone(_ stream: ChunkStream, visited: Int?) throws -> Rate {
        let clock = ContinuousClock()
        let begin = clock.now
        var done = 0
        var points = 0
        var values = 0
        func isEnough() -> Bool {
            if visited == nil, done >= stream.iterationsPerEpoch { return true }
            return done >= 2 && (clock.now - begin) / .seconds(1) > seconds / 4
        }
        repeat {
            let chunk = try stream.chunk(visited.map { done % $0 } ?? done)
            for columns in chunk.columns.values {
                points += columns.first?.count ?? 0
                values += columns.reduce(0) { $0 + $1.count }
            }
            done += 1
        } while !isEnough()
        let elapsed = (clock.now - begin) / .seconds(1)
        return Rate(
            iterations: done, pointsPerSecond: Double(points) / elapsed, bytesPerSecond: Double(4 * values) / elapsed)
    }

    // MARK: Iterations

    /// An iteration: loss, gradient and Adam on a chunk.
    private struct Iteration {
        let context: TrainingContext
        var parameters: [Float]
        var optimizer: Adam
        var gradient: [Float] = []

        init(_ context: TrainingContext) throws {
            self.context = context
            parameters = context.objective.residualProblem.networks.initialParameters(seed: 0)
            optimizer = Adam(parameterCount: parameters.count, options: OptimizerOptions())
        }

        mutating func step(_ chunk: Chunk) throws {
            let loss = try context.objective.evaluate(
                context.backend, parameters: parameters, chunk: chunk, gradient: &gradient)
            optimizer.step(&parameters, loss: loss.total, gradient: gradient) { _, _ in 0 }
        }
    }

    /// Streamed iterations and iterations in memory, alternating, so that both see the same disturbances.
    private struct Pairs {
        private(set) var streamed: [Double] = []
        private var ratios: [Double] = []
        private var waits: [Double] = []
        private let stream: ChunkStream
        private let held: Chunk
        /// Number of iterations whose chunks were read before; nil: all.
        private let visited: Int?
        private var number = 0

        init(_ stream: ChunkStream, _ held: Chunk, _ visited: Int?) {
            self.stream = stream
            self.held = held
            self.visited = visited
        }

        /// `before` is called before the streamed iteration, outside its timing.
        mutating func next(_ iteration: inout Iteration, before: () -> Void = {}) throws {
            let clock = ContinuousClock()
            let begin = clock.now
            try iteration.step(held)
            let inMemory = (clock.now - begin) / .seconds(1)
            before()
            let beginStreamed = clock.now
            let chunk = try stream.chunk(number)
            let wait = (clock.now - beginStreamed) / .seconds(1)
            try iteration.step(chunk)
            let time = (clock.now - beginStreamed) / .seconds(1)
            // The first chunk of a sequence is not read ahead; in training that is one of thousands.
            let isReadAhead = number > 0
            number = visited.map { number + 1 < $0 ? number + 1 : 0 } ?? number + 1
            guard isReadAhead else { return }
            streamed.append(time)
            ratios.append(time / inMemory)
            waits.append(wait / time)
        }

        func reading(_ alone: Rate) -> StreamRow.Reading {
            StreamRow.Reading(
                pointsPerSecond: alone.pointsPerSecond, bytesPerSecond: alone.bytesPerSecond,
                slowdown: (ratios.median ?? 1) - 1, slowdownQuartiles: ratios.quartiles.map { $0 - 1 },
                waiting: waits.median ?? 0)
        }
    }

    // MARK: The file

    /// Evicts the store from the page cache; false if that failed.
    private func dropCache() -> Bool {
        PageCache.drop(store)
        return (PageCache.residentShare(of: store) ?? 1) < 0.05
    }

    private var byteCount: Int {
        var info = stat()
        return stat(store, &info) == 0 ? Int(info.st_size) : 0
    }
}
