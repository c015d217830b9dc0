import ComputeCPU
import Foundation
import Runs
import Synchronization
import TestSupport
import Testing

/// Asked before every tile; says stop from one of the questions on.
private final class TileCounter: Sendable {
    private let asked = Atomic<Int>(0)
    private let last: Int

    init(stopAt last: Int = .max) { self.last = last }

    var count: Int { asked.load(ordering: .relaxed) }
    func shouldStop() -> Bool { asked.add(1, ordering: .relaxed).newValue >= last }
}

/// A run that is stopped in the middle of an iteration drops it and goes on, resumed, as if it had not been stopped.
@Suite struct StoppingTests {
    private static let iterations = 14

    private func run(optimizer: String, sampling: String) throws -> ShortRun {
        var short = try ShortRun()
        try short.configuration.set("optimizer", to: optimizer)
        try short.configuration.set("sampling", to: sampling)
        short.configuration.stream.sample = 900
        return short
    }

    private func counting(_ short: ShortRun, _ tiles: TileCounter) -> ShortRun {
        var counting = short
        counting.device = { CPUBackend($0, threads: 2, shouldStop: tiles.shouldStop) }
        return counting
    }

    /// A search takes most of its tiles between two iterations; a drawing and a new phase come before one.
    @Test(arguments: [
        ("adam", "uniform"), ("soap", "rad:every=4"), ("lbfgs", "uniform"), ("ssbroyden", "uniform"),
        ("ssbroyden", "r3:every=5"), ("adam:5,lbfgs:9", "rad:every=4"),
    ]) func aRunStoppedAtAnyTileGoesOnAsIfItHadNotBeen(optimizer: String, sampling: String) throws {
        let short = try run(optimizer: optimizer, sampling: sampling)
        let all = TileCounter()
        let whole = try counting(short, all).train("whole", iterations: StoppingTests.iterations)
        var random = SystemRandomNumberGenerator()
        for number in 0..<(Places.runsLongTests ? 20 : 8) {
            let tile = Int.random(in: 1...all.count, using: &random)
            let name = "run\(number)"
            let stopped = try counting(short, TileCounter(stopAt: tile)).train(
                name, iterations: StoppingTests.iterations)
            #expect(!stopped.hasEnded && stopped.history.count == stopped.iteration)
            let resumed = try short.resume(name, iterations: StoppingTests.iterations)
            #expect(sameBits(resumed, whole), "stopped at tile \(tile) of \(all.count), iteration \(stopped.iteration)")
            try FileManager.default.removeItem(atPath: short.folder.file(name))
        }
    }

    /// A run that has ended stays one that has ended.
    @Test func aCheckpointOfTheSameIterationIsNotReplacedByOneThatKnowsLess() throws {
        let short = try run(optimizer: "adam", sampling: "uniform")
        let whole = try short.train("run", iterations: 3)
        #expect(whole.hasEnded)
        let again = try counting(short, TileCounter(stopAt: 1)).resume("run", iterations: 3)
        #expect(again.hasEnded && sameBits(again, whole))
    }
}
