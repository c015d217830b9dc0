import Fields
import Foundation
import NetCDFFiles
import Objective
import PointStore
import Runs
import TestSupport
import Testing
import Training

/// What batches read of a store, and when.
@Suite struct BatchTests {
    /// Changes every byte of a column of a store.
    private func spoil(_ set: PointSet, _ column: Column, of store: String) throws {
        let count = try StoreReader(path: store).count(set)
        let range = try NetCDFFile.byteRange(of: set.variable(column), count: count, byteCount: 4, path: store)
        let file = try #require(FileHandle(forUpdatingAtPath: store))
        try file.seek(toOffset: UInt64(range.lowerBound))
        let bytes = try #require(try file.read(upToCount: range.count))
        try file.seek(toOffset: UInt64(range.lowerBound))
        try file.write(contentsOf: Data(bytes.map { $0 ^ 8 }))
        try file.close()
    }

    /// Resampled at 10; the store's collocation points are wanted again at 20.
    @Test(arguments: ["adam", "lbfgs"])
    func collocationColumnsAreNotReadWhereResampledPointsStandInForThem(optimizer: String) throws {
        var short = try ShortRun()
        try short.configuration.set("optimizer", to: optimizer)
        short.configuration.stream.sample = 600
        try short.configuration.set("sampling", to: "rad:every=10")
        let whole = try short.train("whole", iterations: 19)
        try short.train("run", iterations: 19, stopAt: 12)
        try spoil(.collocation, .x, of: short.configuration.store)
        #expect(sameBits(try short.resume("run", iterations: 19), whole))
        let failure = #expect(throws: RunError.self) { try short.resume("run", iterations: 21) }
        #expect(failure?.kind == .badData && failure?.explanation.contains("collocation_x") == true)
    }

    /// The norms' points were the store's once, where the loss had those that were drawn.
    @Test func reweightingTakesTheNormsOfTheResampledPoints() throws {
        var short = try ShortRun()
        short.configuration.balance = .gradient
        short.configuration.stream = StreamConfiguration(chunk: 300, data: 150, front: 70, sample: 300)
        try short.configuration.set("sampling", to: "rad:every=100")
        let before = try short.train("run", iterations: 100)
        let after = try short.resume("run", iterations: 101)
        let points = try #require(before.resampled)
        #expect(points.iteration == 100)
        let context = try short.context(iterations: 101)
        var chunk = try context.stream.chunk(ChunkRequest(.streamed(iteration: 100)), next: nil)
        func factors(_ chunk: Chunk) throws -> [Double] {
            var reweighting = LossReweighting(factors: try #require(before.balance))
            reweighting.update(
                gradientNorms: try context.objective.gradientNorms(
                    context.backend, parameters: before.parameters, chunk: chunk))
            return reweighting.factors
        }
        let ofStore = try factors(chunk)
        chunk.columns[.collocation] = points.columns.map { FloatColumn($0) }
        let expected = try factors(chunk)
        let found = try #require(after.balance)
        // The run has them in another order.
        for (one, other) in zip(found, expected) { #expect(abs(one - other) < 1e-5 * other) }
        #expect(zip(found, ofStore).contains { abs($0 - $1) > 1e-3 * $1 })
    }

    /// The store is cut as soon as the first iteration is reported: by then the fixed batch has been read once.
    @Test(arguments: [true, false]) func aFixedBatchIsReadOnceWhereItIsKept(isKept: Bool) throws {
        var short = try ShortRun()
        try short.configuration.set("optimizer", to: "ssbroyden")
        short.configuration.stream.sample = 900
        let whole = try short.train("whole", iterations: 12)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: short.configuration.store))
        let directory = RunDirectory(short.folder.file("run"))
        try directory.acquire()
        let context = try short.context(iterations: 12, keepsFixedBatch: isKept)
        var trainer = Trainer(starting: context, in: directory)
        func train() throws {
            _ = try trainer.run(checkpointEvery: .seconds(3600), shouldStop: { false }) { now in
                guard now.iteration == 0 else { return }
                try? FileHandle(forUpdatingAtPath: short.configuration.store)?.truncate(atOffset: 8192)
            }
        }
        if isKept {
            try train()
            #expect(sameBits(try directory.newestCheckpoint(report: { _ in }), whole))
        } else {
            let failure = #expect(throws: RunError.self) { try train() }
            #expect(failure?.kind == .inputOutput)
            try bytes.write(to: URL(fileURLWithPath: short.configuration.store))
            try short.train("again", iterations: 12, keepsFixedBatch: false)
        }
    }

    @Test func theBitsDoNotDependOnWhetherAFixedBatchIsKept() throws {
        var short = try ShortRun()
        try short.configuration.set("optimizer", to: "adam:5,ssbroyden:8")
        short.configuration.resampling = .bootstrap
        short.configuration.stream.sample = 900
        let kept = try short.train("kept", iterations: 13)
        #expect(sameBits(try short.train("read", iterations: 13, keepsFixedBatch: false), kept))
    }
}
