import Synchronization
import Testing

import Threads

private final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .relaxed) }
    func increase() { count.add(1, ordering: .relaxed) }
}

@Suite struct ThreadTeamTests {
    @Test(arguments: [0, 1, 7]) func everyIterationIsDoneOnceHoweverManyThreadsThereAre(limit: Int) throws {
        let team = ThreadTeam(limit: limit, purpose: "test")
        for count in [0, 1, 2, 3, 100] {
            let done = Mutex([Int](repeating: 0, count: count))
            team.perform(iterations: count) { number in done.withLock { $0[number] += 1 } }
            #expect(done.withLock { $0 } == [Int](repeating: 1, count: count))
        }
    }

    /// Each waits for the other, so that they pass only side by side.
    @Test func iterationsAreDoneAtTheSameTime() throws {
        let team = ThreadTeam(limit: 2, purpose: "test")
        try team.require(1)
        let arrived = Atomic<Int>(0)
        team.perform(iterations: 2) { _ in
            arrived.add(1, ordering: .acquiringAndReleasing)
            while arrived.load(ordering: .acquiring) < 2 {}
        }
    }

    @Test(arguments: [0, 1]) func loopsInsideLoopsAndOfSeveralCallersEnd(limit: Int) async {
        let team = ThreadTeam(limit: limit, purpose: "test")
        let sum = Counter()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<200 {
                        team.perform(iterations: 3) { _ in
                            team.perform(iterations: 3) { _ in sum.increase() }
                        }
                    }
                }
            }
        }
        #expect(sum.value == 4 * 200 * 9)
    }

    @Test(arguments: [0, 1]) func aValueIsMadeOnceByAThreadOrByWhoeverNeedsIt(limit: Int) {
        let team = ThreadTeam(limit: limit, purpose: "test")
        let made = Atomic<Int>(0)
        let values = (0..<100).map { number in
            Ahead(on: team) {
                made.add(1, ordering: .relaxed)
                return number
            }
        }
        #expect(values.map { $0.take() } == Array(0..<100))
        #expect(made.load(ordering: .relaxed) == 100)
    }

    /// Where it stayed, the memory of a chunk that nobody asked for would.
    @Test func aValueThatNobodyTakesIsForgotten() {
        final class Chunk: Sendable {}
        let team = ThreadTeam(limit: 0, purpose: "test")
        weak var chunk: Chunk?
        do {
            let here = Chunk()
            chunk = here
            _ = Ahead(on: team) { here }
        }
        #expect(chunk == nil)
    }
}
