import ComputeCPU
import Foundation
import PointStore
import TestSupport
import Testing

import Benchmarks

/// Plausibility of the figures of tiny runs.
@Suite struct MeasurementTests {
    @Test func aShareIsTheStepsRateOverTheYardsticks() throws {
        let yardstick = SGEMMRate(threads: 1)
        var made = 0
        let measured = try Alternation(seconds: 0.3, yardstick: yardstick, estimate: 0.01, operations: 1e7) {
            usleep(10_000)
            made += 1
        }
        #expect(measured.steps.count == made && measured.shares.count >= 3)
        #expect(measured.sgemmRates.count == measured.shares.count + 1)
        // A step that sleeps 10 ms and counts 1e7 operations makes at most 1e9 per second.
        let median = try #require(measured.shares.median)
        #expect(median > 0 && median <= 1e9 / measured.sgemmRates.min()!)
    }

    @Test func withoutAYardstickThereAreTimesAlone() throws {
        let measured = try Alternation(seconds: 0.01, yardstick: nil, estimate: 1, operations: 1) {}
        #expect(measured.steps.count >= 3 && measured.sgemmRates.isEmpty && measured.shares.isEmpty)
        #expect(StepTiming(steps: measured.steps, points: 1, sgemmRates: [], shares: []).share == nil)
    }

    @Test(arguments: [(1, [1]), (2, [1, 2]), (6, [1, 2, 4, 6]), (16, [1, 2, 4, 8, 16])])
    func coresAreDoubledUpToAll(_ cores: Int, _ counts: [Int]) {
        #expect(Machine.threadCounts(cores: cores) == counts)
    }

    @Test func operationsAreThoseOfTheDesign() throws {
        // 3 products x 6 channels x 7 layers x 2 x 128 x 128 = 4.13 MFLOP a point.
        let problem = try StepProblem(.shallowShelf, "8x128")
        #expect(problem.residualProblem.productOperations(points: [1000]) == 4_128_768_000)
    }

    @Test func aSyntheticStoreIsWholeAndCanBeRead() throws {
        let folder = try TemporaryFolder()
        let store = SyntheticStore(collocation: 70_000, cells: 400)
        try store.write(to: folder.file("store.nc"))
        let size = try FileManager.default.attributesOfItem(atPath: folder.file("store.nc"))[.size] as? Int
        #expect(try #require(size) <= store.byteCount)
        let reader = try StoreReader(path: folder.file("store.nc"))
        for (set, count) in [(PointSet.collocation, 70_000), (.velocity, 400), (.thickness, 400), (.front, 20)] {
            #expect(try reader.read(set, 0..<count).allSatisfy { $0.allSatisfy { abs($0) <= 1 } })
        }
        #expect(Set(try reader.cells(of: .velocity)).count == 400)
    }

    @Test func aFileOnDiskCanBeDroppedFromThePageCache() throws {
        let folder = try TemporaryFolder()
        try SyntheticStore(collocation: 200_000, cells: 64).write(to: folder.file("store.nc"))
        PageCache.drop(folder.file("store.nc"))
        let dropped = try #require(PageCache.residentShare(of: folder.file("store.nc")))
        _ = try Data(contentsOf: URL(fileURLWithPath: folder.file("store.nc")))
        let read = try #require(PageCache.residentShare(of: folder.file("store.nc")))
        // A file system in memory keeps everything.
        #expect(read == 1 && dropped <= 1)
    }
}
