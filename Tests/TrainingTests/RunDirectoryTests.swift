import Fields
import Foundation
import NetCDFFiles
import Optimizers
import PointStore
import Runs
import TestSupport
import Testing
import Training

/// What a run takes for its own in its folder, and what it leaves alone.
@Suite struct RunDirectoryTests {
    private let short: ShortRun
    private let folder: String

    init() throws {
        short = try ShortRun()
        folder = short.folder.file("run")
    }

    private func path(_ name: String) -> String { "\(folder)/\(name)" }
    private func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path(name))) }
    private func copy(_ name: String, to other: String) throws {
        try FileManager.default.copyItem(atPath: path(name), toPath: path(other))
    }
    private func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }
    private func name(_ iteration: Int) -> String {
        "checkpoint-\(String(repeating: "0", count: 10 - String(iteration).count))\(iteration).nc"
    }
    private var newest: Checkpoint { get throws { try RunDirectory(folder).newestCheckpoint(report: { _ in }) } }

    /// Makes the run one of the version before: no marker, and no identity in its files.
    private func makeFormer() throws {
        for path in RunDirectory(folder).checkpoints { try former(Checkpoint(reading: path)).write(to: path) }
        for name in ["pinn-run.lock", "history.nc"] { try remove(name) }
        try Data(newest.configuration.toml.utf8).write(to: URL(fileURLWithPath: path("plan.toml")))
        try Data("host old, process 1".utf8).write(to: URL(fileURLWithPath: path("lock")))
    }

    private func former(_ checkpoint: Checkpoint, fingerprint: String? = nil) -> Checkpoint {
        Checkpoint(
            configuration: checkpoint.configuration, iteration: checkpoint.iteration,
            parameters: checkpoint.parameters, optimizer: checkpoint.optimizer, balance: checkpoint.balance,
            resampled: checkpoint.resampled, history: checkpoint.history,
            storeFingerprint: fingerprint ?? checkpoint.storeFingerprint, backend: checkpoint.backend,
            trainedSeconds: checkpoint.trainedSeconds)
    }

    @Test func copiesOfCheckpointsAreNeitherResumedFromNorDeletedNorInTheWay() throws {
        let whole = try short.train("whole", iterations: 9)
        try short.train("run", iterations: 3)
        let strange = [
            "checkpoint-best.nc", "checkpoint-3.nc", "checkpoint-00000000003.nc", "checkpoint-+000000099.nc",
        ]
        // Of a strict name, but not of the iteration that it names.
        let misnamed = [9_999_999_997, 9_999_999_998, 9_999_999_999].map(name)
        for other in strange + misnamed { try copy(name(3), to: other) }
        let before = try bytes(name(3))
        var notes: [String] = []
        let saved = try RunDirectory(folder).newestCheckpoint(report: { notes.append($0) })
        #expect(saved.iteration == 3)
        #expect((strange + misnamed).allSatisfy { name in notes.contains { $0.contains(name) } }, "\(notes)")
        for iteration in 4...9 { try short.resume("run", iterations: iteration) }
        #expect(sameBits(try newest, whole))
        for other in strange + misnamed { #expect(try bytes(other) == before, "\(other)") }
        let kept = RunDirectory(folder).checkpoints.map { String($0.split(separator: "/").last!) }
        #expect(kept == misnamed.reversed() + [9, 8, 7].map(name))
    }

    @Test func aStrangeFileThatHasTheNameOfACheckpointToComeIsNotReplaced() throws {
        try short.train("run", iterations: 3)
        try copy(name(3), to: name(5))
        let before = try bytes(name(5))
        let directory = RunDirectory(folder)
        try directory.acquire(resuming: true)
        let failure = #expect(throws: RunError.self) { try directory.requireFree(after: 3, upTo: 6) }
        #expect(failure?.kind == .usage && failure?.explanation.contains(name(5)) == true)
        try directory.requireFree(after: 5, upTo: 6)
        #expect(throws: RunError.self) { try directory.save(newest(at: 5)) }
        #expect(try bytes(name(5)) == before)
    }

    private func newest(at iteration: Int) throws -> Checkpoint {
        var checkpoint = try newest
        checkpoint.iteration = iteration
        return checkpoint
    }

    @Test func aDamagedCheckpointOfTheRunIsReplacedWhenItsIterationComesAgain() throws {
        try short.train("run", iterations: 3)
        let kept = try short.resume("run", iterations: 6)
        var damaged = try bytes(name(6))
        damaged[damaged.count - 3] ^= 8
        try damaged.write(to: URL(fileURLWithPath: path(name(6))))
        #expect(sameBits(try short.resume("run", iterations: 6), kept))
    }

    /// As where a trainer is faster than a reader: what was listed is deleted, and there is a newer one.
    @Test func aReaderFromUnderWhichTheTrainerDeletesACheckpointLooksAgain() throws {
        try short.train("run", iterations: 1)
        for iteration in 2...3 { try short.resume("run", iterations: iteration) }
        let two = try bytes(name(2))
        let found = try RunDirectory(folder).newestCheckpoint(report: { _ in })
        #expect(found.iteration == 3)
        try Data(two.dropLast()).write(to: URL(fileURLWithPath: path(name(4))))
        let three = try bytes(name(3))
        var reports = 0
        let other = try RunDirectory(folder).newestCheckpoint(report: { _ in
            reports += 1
            try? FileManager.default.removeItem(atPath: path(name(3)))
            try? FileManager.default.removeItem(atPath: path(name(4)))
        })
        #expect(other.iteration == 2 && reports == 1)
        try three.write(to: URL(fileURLWithPath: path(name(3))))
    }

    @Test func aNewRunInAFolderOfARunThatWasNotBegunGetsAnotherIdentity() throws {
        func identity() throws -> Substring {
            String(decoding: try bytes("pinn-run.lock"), as: UTF8.self).prefix { $0 != "\n" }
        }
        var directory: RunDirectory? = RunDirectory(folder)
        try directory?.acquire()
        let first = try identity()
        #expect(first.hasPrefix("IceShelfPINN run "))
        try directory?.writePlan(short.configuration)
        directory = nil
        try RunDirectory(folder).acquire()
        #expect(try identity() != first)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["pinn-run.lock"])
        try short.train("run", iterations: 2)
        let second = try identity()
        try short.resume("run", iterations: 3)
        #expect(try identity() == second)
        let failure = #expect(throws: RunError.self) { try RunDirectory(folder).acquire() }
        #expect(failure?.kind == .usage && failure?.explanation.contains("--resume") == true)
    }

    /// As a process leaves it that is killed before it writes there.
    @Test func aMarkerThatWasLeftEmptyIsARunThatWasNotBegun() throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        try Data().write(to: URL(fileURLWithPath: path("pinn-run.lock")))
        let failure = #expect(throws: RunError.self) { try RunDirectory(folder).acquire(resuming: true) }
        #expect(failure?.kind == .missingInput)
        #expect(try bytes("pinn-run.lock").isEmpty)
        try short.train("run", iterations: 2)
        #expect(try bytes("pinn-run.lock").count > 40)
    }

    @Test func onlyOneOfManyTrainersThatBeginAtOnceGetsTheFolder() throws {
        final class Winners: @unchecked Sendable {
            let lock = NSLock()
            var runs: [RunDirectory] = []
        }
        for round in 0..<5 {
            let winners = Winners()
            let folder = short.folder.file("run\(round)")
            DispatchQueue.concurrentPerform(iterations: 4) { _ in
                let run = RunDirectory(folder)
                guard (try? run.acquire()) != nil else { return }
                winners.lock.withLock { winners.runs.append(run) }
            }
            #expect(winners.runs.count == 1)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["pinn-run.lock"])
        }
    }

    @Test(arguments: ["history.nc", "plan.toml"]) func whatIsNotOfTheRunIsNotReplacedByIt(_ name: String) throws {
        try short.train("run", iterations: 3)
        try short.train("other", iterations: 3)
        let other = try Data(contentsOf: URL(fileURLWithPath: short.folder.file("other/\(name)")))
        for theirs in [Data("mine".utf8), other] {
            try theirs.write(to: URL(fileURLWithPath: path(name)))
            let failure = #expect(throws: RunError.self) { try RunDirectory(folder).acquire(resuming: true) }
            #expect(failure?.kind == .usage && failure?.explanation.contains(name) == true)
            #expect(try bytes(name) == theirs)
        }
        // A link is the user's as well, also one to a file of the run.
        try remove(name)
        try FileManager.default.createSymbolicLink(atPath: path(name), withDestinationPath: "pinn-run.lock")
        #expect(throws: RunError.self) { try RunDirectory(folder).acquire(resuming: true) }
        try remove(name)
        try short.resume("run", iterations: 4)
    }

    @Test func aRunOfTheVersionBeforeIsTakenOverAndItsOldCheckpointsAreItsOwn() throws {
        let whole = try short.train("whole", iterations: 9)
        try short.train("run", iterations: 2)
        for iteration in 3...4 { try short.resume("run", iterations: iteration) }
        try makeFormer()
        #expect(try newest.iteration == 4)
        var notes: [String] = []
        var directory: RunDirectory? = RunDirectory(folder)
        try directory?.acquire(resuming: true, report: { notes.append($0) })
        #expect(notes.count == 1 && notes[0].contains("earlier version"), "\(notes)")
        directory = nil
        for iteration in 5...9 { try short.resume("run", iterations: iteration) }
        #expect(sameBits(try newest, whole))
        #expect(RunDirectory(folder).checkpoints.map { $0.suffix(4) } == ["9.nc", "8.nc", "7.nc"])
        #expect(try bytes("lock") == Data("host old, process 1".utf8))
    }

    @Test func aTrainerOfTheVersionBeforeThatIsAtWorkIsNoticed() throws {
        try short.train("run", iterations: 2)
        try makeFormer()
        let lock = open(path("lock"), O_RDONLY)
        defer { close(lock) }
        try #require(flock(lock, LOCK_EX | LOCK_NB) == 0)
        let failure = #expect(throws: RunError.self) { try RunDirectory(folder).acquire(resuming: true) }
        #expect(failure?.kind == .heldByAnother)
        #expect(!FileManager.default.fileExists(atPath: path("pinn-run.lock")))
    }

    @Test func aCheckpointWithoutAnIdentityIsNotOfARunThatHasOne() throws {
        try short.train("run", iterations: 3)
        try former(newest(at: 5)).write(to: path(name(5)))
        #expect(try newest.iteration == 3)
        let before = try bytes(name(5))
        for iteration in [6, 7, 8, 9] {
            let directory = RunDirectory(folder)
            try directory.acquire(resuming: true)
            try directory.saveRecords(of: newest)
            try directory.save(newest(at: iteration))
        }
        #expect(try bytes(name(5)) == before)
    }

    @Test func aMarkerThatWasDeletedIsRestoredFromTheCheckpoints() throws {
        try short.train("run", iterations: 3)
        let before = try bytes("pinn-run.lock").prefix(49)
        try remove("pinn-run.lock")
        try short.resume("run", iterations: 4)
        #expect(try bytes("pinn-run.lock").prefix(49) == before)
    }

    // MARK: checkpoints that cannot be written

    @Test func aCheckpointThatCannotBeWrittenIsTriedAgainAndTheRunGoesOn() throws {
        let whole = try short.train("whole", iterations: 30)
        let (outcome, warnings) = try train(iterations: 30, awayFrom: 10, to: 20)
        #expect(outcome == nil && warnings.count >= 5)
        #expect(warnings.allSatisfy { $0.contains("the last good checkpoint is") && $0.contains("checkpoint-00") })
        #expect(sameBits(try newest, whole))
    }

    @Test func aLastCheckpointThatCannotBeWrittenEndsTheRunAndTheLastGoodOneIsNamed() throws {
        let (failure, _) = try train(iterations: 30, awayFrom: 10, to: 31)
        #expect((failure as? RunError)?.kind == .inputOutput)
        let text = "\(try #require(failure))"
        #expect(text.contains("the last good checkpoint is \(path(name(9)))"), "\(text)")
        try FileManager.default.moveItem(atPath: short.folder.file("away"), toPath: folder)
        #expect(sameBits(try short.resume("run", iterations: 30), try short.train("whole", iterations: 30)))
    }

    /// Trains with a checkpoint at each iteration, while the folder is gone for some.
    private func train(iterations: Int, awayFrom begin: Int, to end: Int) throws -> (failure: (any Error)?, [String]) {
        let directory = RunDirectory(folder)
        try directory.acquire()
        let away = short.folder.file("away")
        var trainer = Trainer(starting: try short.context(iterations: iterations), in: directory)
        var warnings: [String] = []
        do {
            _ = try trainer.run(checkpointEvery: .zero, shouldStop: { false }) { now in
                if now.iteration == begin { try? FileManager.default.moveItem(atPath: folder, toPath: away) }
                if now.iteration == end { try? FileManager.default.moveItem(atPath: away, toPath: folder) }
            } warn: {
                warnings.append($0)
            }
            return (nil, warnings)
        } catch {
            return (error, warnings)
        }
    }

    // MARK: the store

    @Test func aStoreWithOtherScalesIsNotTheOneThatTheRunWasTrainedOn() throws {
        try short.train("run", iterations: 3)
        var other = short
        other.configuration.store = short.folder.file("other.nc")
        try copyStore(short.configuration.store, to: other.configuration.store) {
            let normalization = $0.normalizations[.u]!
            $0.normalizations[.u] = Normalization(offset: normalization.offset, scale: 2 * normalization.scale)
        }
        let failure = #expect(throws: RunError.self) { try other.resume("run", iterations: 4) }
        #expect(failure?.kind == .badData && failure?.explanation.contains("fingerprint") == true)
    }

    @Test func aRunWithTheFingerprintOfTheVersionBeforeIsResumedOnItsStoreAlone() throws {
        let whole = try short.train("whole", iterations: 6)
        let saved = try short.train("run", iterations: 3)
        for name in ["history.nc", "plan.toml"] { try remove(name) }
        for (fingerprint, isRight) in [(try formerFingerprint(short.configuration.store), true), ("0123abcd", false)] {
            try former(saved, fingerprint: fingerprint).write(to: path(name(3)))
            try? remove("pinn-run.lock")
            if isRight {
                #expect(sameBits(try short.resume("run", iterations: 6), whole))
                #expect(try newest.storeFingerprint == whole.storeFingerprint && whole.storeFingerprint.count == 32)
                for name in [name(6), "history.nc", "plan.toml"] { try remove(name) }
            } else {
                #expect(throws: RunError.self) { try short.resume("run", iterations: 6) }
            }
        }
    }

    /// CRC-32C of all block checksums, bit by bit.
    private func formerFingerprint(_ path: String) throws -> String {
        let file = try NetCDFFile(reading: path)
        let names = PointSet.allCases.flatMap { set in set.columns.map { (set.variable($0), set.checksumVariable($0)) }
        }
        var checksum: UInt32 = ~0
        for (_, name) in names.sorted(by: { $0.0 < $1.0 }) {
            for word in try file.variable(name)?.read(as: UInt32.self) ?? [] {
                checksum ^= word.littleEndian
                for _ in 0..<32 { checksum = checksum >> 1 ^ (checksum & 1 == 1 ? 0x82f6_3b78 : 0) }
            }
        }
        let text = String(~checksum, radix: 16)
        return String(repeating: "0", count: 8 - text.count) + text
    }

    @Test(arguments: [Float.nan, .infinity]) func aValueOfTheStoreThatIsNoNumberIsNamedNotTheLearningRate(
        _ value: Float
    )
        throws
    {
        var other = short
        other.configuration.store = short.folder.file("other.nc")
        try copyStore(
            short.configuration.store, to: other.configuration.store,
            values: { set, column, values in
                if set == .velocity && column == .v { (values[7], values[1900]) = (value, value) }
            })
        let failure = #expect(throws: RunError.self) { try other.train("run", iterations: 50) }
        let text = failure?.explanation ?? ""
        #expect(failure?.kind == .badData && text.contains("2 of 2000 in velocity_v"), "\(text)")
        #expect(!text.contains("learning-rate"))
    }
}
