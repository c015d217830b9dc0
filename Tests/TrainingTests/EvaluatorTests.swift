import Compute
import ComputeCPU
import ComputeCUDA
import Dispatch
import Fields
import Objective
import PointStore
import Runs
import Synchronization
import TestSupport
import Testing
import Training

/// Halves of a chunk: every other point, with what means over the whole chunk divide by.
private func half(_ rest: Int, of chunk: Chunk) -> Chunk {
    var half = chunk
    for (set, columns) in chunk.columns {
        half.divisors[set] = chunk.divisor(set)
        half.columns[set] = columns.map { column in
            FloatColumn(stride(from: rest, to: column.count, by: 2).map { column[$0] })
        }
    }
    return half
}

extension Batch {
    /// The points of one of two processes.
    fileprivate func half(_ rest: Int) -> Batch {
        Batch(count: count) { TrainingTests.half(rest, of: try chunk($0)) }
    }
}

/// Splits a batch in two and adds what both parts give.
private struct SplitEvaluator: Evaluator {
    let whole: BackendEvaluator

    func evaluate(_ parameters: [Float], on batch: Batch, factors: [Double]?, gradient: inout [Float]) throws -> Loss {
        var loss = try whole.evaluate(parameters, on: batch.half(0), factors: factors, gradient: &gradient)
        var other: [Float] = []
        loss.add(
            try whole.evaluate(parameters, on: batch.half(1), factors: factors, gradient: &other), times: 1)
        for k in gradient.indices { gradient[k] += other[k] }
        return loss
    }

    func gradientNorms(_ parameters: [Float], on batch: Batch) throws -> [Double] {
        try whole.gradientNorms(parameters, on: batch)
    }

    func residuals(_ parameters: [Float], at points: [[Float]]) throws -> [Float] {
        try whole.residuals(parameters, at: points)
    }
}

/// One of two processes: evaluates its half of a batch and reduces.
private struct RankEvaluator: Evaluator {
    let rank: Int
    let own: BackendEvaluator

    func evaluate(_ parameters: [Float], on batch: Batch, factors: [Double]?, gradient: inout [Float]) throws -> Loss {
        try own.evaluate(parameters, on: batch.half(rank), factors: factors, gradient: &gradient)
    }

    func gradientNorms(_ parameters: [Float], on batch: Batch) throws -> [Double] {
        try own.gradientNorms(parameters, on: batch)
    }

    func residuals(_ parameters: [Float], at points: [[Float]]) throws -> [Float] {
        try own.residuals(parameters, at: points)
    }
}

/// An all-reduce between two threads: both get the same sum, in the order of their ranks.
private final class Meeting: Sendable {
    private let state = Mutex<(values: [[Double]?], sum: [Double])>(([nil, nil], []))
    private let arrived = [DispatchSemaphore(value: 0), DispatchSemaphore(value: 0)]
    private let taken = [DispatchSemaphore(value: 0), DispatchSemaphore(value: 0)]

    func sum(_ values: [Double], of rank: Int) -> [Double] {
        state.withLock { $0.values[rank] = values }
        arrived[rank].signal()
        arrived[1 - rank].wait()
        let sum = state.withLock { state in zip(state.values[0]!, state.values[1]!).map(+) }
        taken[rank].signal()
        taken[1 - rank].wait()
        return sum
    }
}

private struct RankReduction: GradientReduction {
    let rank: Int
    let meeting: Meeting

    func reduce(_ gradient: inout [Float]) {
        gradient = meeting.sum(gradient.map(Double.init), of: rank).map(Float.init)
    }

    func reduce(_ loss: inout Loss) {
        let count = loss.terms.count
        let sum = meeting.sum([loss.total] + loss.terms + loss.meanSquares, of: rank)
        loss.total = sum[0]
        loss.terms = Array(sum[1...count])
        loss.meanSquares = Array(sum[(count + 1)...])
    }
}

/// Counts its calls and changes nothing.
private final class CountingReduction: GradientReduction {
    let calls = Mutex((gradients: 0, losses: 0))
    func reduce(_ gradient: inout [Float]) { calls.withLock { $0.gradients += 1 } }
    func reduce(_ loss: inout Loss) { calls.withLock { $0.losses += 1 } }
}

@Suite("The evaluator is the one place where a batch may be shared") struct EvaluatorTests {
    private func train(
        _ short: ShortRun, _ run: String, iterations: Int, evaluator: (TrainingContext) -> (any Evaluator)?
    ) throws -> Checkpoint {
        let directory = RunDirectory(short.folder.file(run))
        try directory.acquire()
        let context = try short.context(iterations: iterations, threads: 1)
        var trainer = Trainer(starting: context, in: directory, evaluator: evaluator(context))
        _ = try trainer.run(checkpointEvery: .seconds(3600), shouldStop: { false }, report: { _ in })
        return try directory.newestCheckpoint(report: { _ in })
    }

    private func phases() throws -> ShortRun {
        var short = try ShortRun()
        try short.configuration.set("optimizer", to: "adam:10,ssbroyden:6,lbfgs:6")
        short.configuration.stream.sample = 600
        return short
    }

    /// Sums of two halves are rounded otherwise; quasi-Newton steps magnify that.
    private func expectSame(_ found: Checkpoint, _ expected: Checkpoint) {
        #expect(found.iteration == expected.iteration && found.history.count == expected.history.count)
        for (one, other) in zip(found.history.totals.prefix(11), expected.history.totals) {
            #expect(abs(one - other) < 1e-5 * other)
        }
        for (one, other) in zip(found.history.totals, expected.history.totals) {
            #expect(abs(one - other) < 2e-2 * other)
        }
    }

    @Test("that splits a batch in two and adds trains as the whole does")
    func split() throws {
        let short = try phases()
        let whole = try train(short, "whole", iterations: 22) { _ in nil }
        let split = try train(short, "split", iterations: 22) {
            SplitEvaluator(whole: BackendEvaluator($0.objective, on: $0.backend))
        }
        expectSame(split, whole)
        #expect(!sameBits(split, whole))
    }

    @Test("so two processes that reduce there make the same steps as one")
    func twoProcesses() throws {
        let short = try phases()
        let whole = try train(short, "whole", iterations: 22) { _ in nil }
        let meeting = Meeting()
        let ends = Mutex<[Int: Checkpoint]>([:])
        let failures = Mutex<[any Error]>([])
        nonisolated(unsafe) let run = short
        DispatchQueue.concurrentPerform(iterations: 2) { rank in
            do {
                let end = try train(run, "rank\(rank)", iterations: 22) { context in
                    RankEvaluator(
                        rank: rank,
                        own: BackendEvaluator(
                            context.objective, on: context.backend,
                            reduction: RankReduction(rank: rank, meeting: meeting)))
                }
                ends.withLock { $0[rank] = end }
            } catch {
                failures.withLock { $0.append(error) }
            }
        }
        #expect(failures.withLock(\.count) == 0)
        let (first, second) = try ends.withLock { (try #require($0[0]), try #require($0[1])) }
        #expect(sameBits(first, second))
        expectSame(first, whole)
    }

    @Test(
        "and a device that makes steps by itself reduces there too, once an iteration",
        .enabled(if: StandIns.shared != nil, "no C++ compiler on the PATH"))
    func device() throws {
        let standIns = try #require(StandIns.shared)
        var short = try ShortRun()
        short.device = { try CUDABackend($0, places: standIns.places, cacheFolder: standIns.cacheFolder) }
        let alone = try train(short, "alone", iterations: 20) { _ in nil }
        let reduction = CountingReduction()
        let shared = try train(short, "shared", iterations: 20) {
            BackendEvaluator($0.objective, on: $0.backend, reduction: reduction)
        }
        #expect(sameBits(shared, alone))
        // The iterations 0 and 20 are evaluated on the host as well.
        #expect(reduction.calls.withLock { $0.gradients == 22 && $0.losses == 21 })
    }
}
