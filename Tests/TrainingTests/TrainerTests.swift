import Compute
import ComputeCPU
import Fields
import Foundation
import Objective
import Physics
import PointStore
import Pointwise
import Runs
import TestSupport
import Testing
import Training

/// Short runs on the exact shelf, in a folder of their own.
struct ShortRun {
    let folder: TemporaryFolder
    var configuration = TrainingConfiguration()
    /// Another device than the CPU.
    var device: ((ResidualProblem) throws -> any Backend)?

    init() throws {
        folder = try TemporaryFolder()
        configuration.store = folder.file("store.nc")
        try configuration.set("network", to: "2x16")
        configuration.stream = StreamConfiguration(chunk: 300, data: 150, front: 70)
        try ExactShelf.writeStore(to: configuration.store)
    }

    func context(iterations: Int, threads: Int = 2, keepsFixedBatch: Bool = true) throws -> TrainingContext {
        var configuration = configuration
        configuration.iterations = iterations
        return try TrainingContext(configuration, keepsFixedBatch: keepsFixedBatch) {
            try device?($0) ?? CPUBackend($0, threads: threads)
        }
    }

    /// A new run of so many iterations, stopped at `stop` where given; the newest checkpoint.
    @discardableResult
    func train(
        _ run: String, iterations: Int, stopAt stop: Int? = nil, threads: Int = 2, keepsFixedBatch: Bool = true
    ) throws -> Checkpoint {
        let directory = RunDirectory(folder.file(run))
        try directory.acquire()
        let context = try context(iterations: iterations, threads: threads, keepsFixedBatch: keepsFixedBatch)
        var trainer = Trainer(starting: context, in: directory)
        return try finish(&trainer, directory, stopAt: stop)
    }

    @discardableResult
    func resume(_ run: String, iterations: Int, stopAt stop: Int? = nil, threads: Int = 2) throws -> Checkpoint {
        let directory = RunDirectory(folder.file(run))
        try directory.acquire(resuming: true)
        let saved = try directory.newestCheckpoint(report: { _ in })
        var trainer = try Trainer(resuming: saved, context(iterations: iterations, threads: threads), in: directory)
        return try finish(&trainer, directory, stopAt: stop)
    }

    private func finish(_ trainer: inout Trainer, _ directory: RunDirectory, stopAt stop: Int?) throws -> Checkpoint {
        var iteration = 0
        _ = try trainer.run(
            checkpointEvery: .seconds(3600), shouldStop: { iteration == stop }, report: { iteration = $0.iteration })
        return try directory.newestCheckpoint(report: { _ in })
    }
}

/// Another backend, and how often it was asked for a gradient.
private final class CountingBackend: Backend {
    private let backend: CPUBackend
    private(set) var evaluations = 0

    init(_ backend: CPUBackend) { self.backend = backend }

    var summary: String { backend.summary }
    var parallelism: String { backend.parallelism }
    var threads: Int { backend.threads }
    var residualProblem: ResidualProblem { backend.residualProblem }

    func squaredResiduals(
        parameters: [Float], batches: [PointBatch], coefficients: [[Double]], gradient: inout [Float]
    ) throws -> ResidualSums {
        evaluations += 1
        return try backend.squaredResiduals(
            parameters: parameters, batches: batches, coefficients: coefficients, gradient: &gradient)
    }

    func jacobian(
        parameters: [Float], batches: [PointBatch], coefficients: [[Double]]
    ) throws -> any Jacobian {
        try backend.jacobian(parameters: parameters, batches: batches, coefficients: coefficients)
    }

    func outputs(of program: PointProgram, parameters: [Float], at points: PointBatch) throws -> [[Float]] {
        try backend.outputs(of: program, parameters: parameters, at: points)
    }
}

func sameBits(_ a: Checkpoint, _ b: Checkpoint) -> Bool {
    a.iteration == b.iteration && a.parameters.map(\.bitPattern) == b.parameters.map(\.bitPattern)
        && a.optimizer == b.optimizer
        && a.history.totals.map(\.bitPattern) == b.history.totals.map(\.bitPattern) && a.history == b.history
}

@Suite struct TrainerTests {
    @Test func tenIterationsResumeAndTenMoreEqualTwentyInOneGo() throws {
        let short = try ShortRun()
        let whole = try short.train("whole", iterations: 20)
        #expect(whole.iteration == 20 && whole.history.count == 20)
        // Asked for ten first, and for twenty when it resumes.
        try short.train("extended", iterations: 10)
        #expect(sameBits(try short.resume("extended", iterations: 20), whole))
        // Stopped by a signal on the way to twenty, on another number of threads.
        try short.train("stopped", iterations: 20, stopAt: 10, threads: 1)
        #expect(sameBits(try short.resume("stopped", iterations: 20, threads: 3), whole))
    }

    @Test func aRunStoppedAtAnyIterationGoesOnAsIfItHadNotBeen() throws {
        let short = try ShortRun()
        let whole = try short.train("whole", iterations: 40)
        for stop in [0, 1, 2, 13, 16, 17, 33, 39] {
            try short.train("run\(stop)", iterations: 40, stopAt: stop)
            #expect(sameBits(try short.resume("run\(stop)", iterations: 40), whole), "stopped at \(stop)")
        }
    }

    /// Ten steps of Adam, then another method on a sample of three chunks, stopped before, at and after the change.
    @Test(arguments: ["lbfgs", "ssbroyden"])
    func aRunOfTwoPhasesGoesOnAsIfItHadNotBeenStopped(_ method: String) throws {
        var short = try ShortRun()
        try short.configuration.set("optimizer", to: "adam:10,\(method):14")
        short.configuration.stream.sample = 900
        let whole = try short.train("whole", iterations: 24)
        for stop in [9, 10, 11, 17, 23] {
            try short.train("run\(stop)", iterations: 24, stopAt: stop, threads: 1)
            #expect(sameBits(try short.resume("run\(stop)", iterations: 24, threads: 3), whole), "stopped at \(stop)")
        }
        // On the same points the loss never rises.
        let losses = whole.history.totals[10...]
        for (before, after) in zip(losses, losses.dropFirst()) { #expect(after <= before * (1 + 2e-7)) }
        #expect(losses.last! < 0.9 * losses.first!)
    }

    /// SOAP with a rate that falls with its phase, stopped before, at and after the change, or asked for more in the end.
    @Test func soapOnAScheduleGoesOnAsIfItHadNotBeenStopped() throws {
        var short = try ShortRun()
        try short.configuration.set("optimizer", to: "adam:5,soap:8")
        short.configuration.learningRate.decay = .cosine
        let whole = try short.train("whole", iterations: 16)
        for stop in [4, 5, 6, 7, 13, 15] {
            try short.train("run\(stop)", iterations: 16, stopAt: stop, threads: 1)
            #expect(sameBits(try short.resume("run\(stop)", iterations: 16, threads: 3), whole), "stopped at \(stop)")
        }
        try short.train("extended", iterations: 9)
        #expect(sameBits(try short.resume("extended", iterations: 16), whole))
        // Of every layer (2 x 16, 16 x 16, 16 x 4) two squares a side.
        #expect(whole.optimizer.doubles["bases"]?.count == 2088)
    }

    /// Samples of rows, then a method that begins where they led.
    @Test func aRunOnSampledRowsGoesOnAsIfItHadNotBeenStopped() throws {
        var short = try ShortRun()
        try short.configuration.set("optimizer", to: "lm:5,ssbroyden:4")
        let whole = try short.train("whole", iterations: 9)
        for stop in [1, 4, 5, 6] {
            try short.train("run\(stop)", iterations: 9, stopAt: stop, threads: 1)
            #expect(sameBits(try short.resume("run\(stop)", iterations: 9, threads: 3), whole), "stopped at \(stop)")
        }
        #expect(whole.history.totals[4] < 0.2 * whole.history.totals[0], "\(whole.history.totals)")
    }

    /// The penalty follows the loss at iterations 3 and 103.
    @Test func aRunWithWeightDecayGoesOnAsIfItHadNotBeenStopped() throws {
        var short = try ShortRun()
        try short.configuration.set("optimizer", to: "adam:3,ssbroyden")
        short.configuration.stream = StreamConfiguration(chunk: 60, data: 30, front: 14, sample: 60)
        let free = try short.train("free", iterations: 110)
        short.configuration.weights.decay = 30
        let whole = try short.train("whole", iterations: 110)
        for stop in [2, 3, 4, 60, 103, 104, 109] {
            try short.train("run\(stop)", iterations: 110, stopAt: stop, threads: 1)
            #expect(sameBits(try short.resume("run\(stop)", iterations: 110, threads: 3), whole), "stopped at \(stop)")
        }
        #expect(sameBits(try short.train("adam", iterations: 3), try short.train("again", iterations: 3)))
        #expect(whole.history.totals[..<4] == free.history.totals[..<4], "the penalty is no part of the loss")
        let squares = [whole, free].map { $0.parameters.reduce(0) { $0 + $1 * $1 } }
        #expect(squares[0] < 0.9 * squares[1], "\(squares)")
    }

    /// Updates at 0 and 100; then L-BFGS with what 105 found, stopped around each of them.
    @Test func aBalancedRunGoesOnAsIfItHadNotBeenStopped() throws {
        var short = try ShortRun()
        try short.configuration.set("optimizer", to: "adam:105,lbfgs:6")
        short.configuration.balance = .gradient
        short.configuration.stream = StreamConfiguration(chunk: 60, data: 30, front: 14, sample: 120)
        let whole = try short.train("whole", iterations: 111)
        for stop in [0, 1, 99, 100, 101, 105, 106, 109] {
            try short.train("run\(stop)", iterations: 111, stopAt: stop, threads: 1)
            let resumed = try short.resume("run\(stop)", iterations: 111, threads: 3)
            #expect(sameBits(resumed, whole) && resumed.balance == whole.balance, "stopped at \(stop)")
        }
        let factors = try #require(whole.balance)
        #expect(factors.count == 4 && factors.allSatisfy { $0 > 0 && $0 != 1 })
        #expect(try short.train("early", iterations: 104).balance != factors)
        // Of a phase that keeps its sample nothing but the start has changed them.
        #expect(try short.train("start", iterations: 106).balance == factors)
    }

    /// A loss that weighs nothing has no slope.
    @Test(arguments: ["lbfgs:8", "ssbroyden:8"])
    func whereAStepFindsNothingTheNextOnesDoNotSearchAgain(optimizer: String) throws {
        var short = try ShortRun()
        try short.configuration.set("optimizer", to: optimizer)
        short.configuration.iterations = 8
        short.configuration.stream = StreamConfiguration(chunk: 300, data: 150, front: 70, sample: 300)
        (short.configuration.weights.velocity, short.configuration.weights.thickness) = (0, 0)
        (short.configuration.weights.equation, short.configuration.weights.front) = (0, 0)
        var counting: CountingBackend?
        let context = try TrainingContext(short.configuration) { residualProblem in
            let backend = CountingBackend(CPUBackend(residualProblem, threads: 1))
            counting = backend
            return backend
        }
        let directory = RunDirectory(short.folder.file("run"))
        try directory.acquire()
        var trainer = Trainer(starting: context, in: directory)
        _ = try trainer.run(checkpointEvery: .seconds(3600), shouldStop: { false }, report: { _ in })
        let last = try directory.newestCheckpoint(report: { _ in })
        #expect(last.iteration == 8 && last.history.count == 8)
        #expect(counting?.evaluations == 1)
    }

    /// The factor is set after the iterations 0, 100, 104 (a new phase) and 204.
    @Test func aPriorCountsInPartsOfTheOtherTermsAndARunWithOneGoesOnAsIfItHadNotBeenStopped() throws {
        var short = try ShortRun()
        try short.configuration.set("physics", to: "anisotropic")
        try short.configuration.set("optimizer", to: "adam:104,lbfgs:110")
        short.configuration.stream = StreamConfiguration(chunk: 60, data: 30, front: 14, sample: 120)
        let whole = try short.train("whole", iterations: 214)
        for stop in [0, 1, 100, 101, 104, 105, 204, 205] {
            try short.train("run\(stop)", iterations: 214, stopAt: stop, threads: 1)
            let resumed = try short.resume("run\(stop)", iterations: 214, threads: 3)
            #expect(sameBits(resumed, whole) && resumed.balance == whole.balance, "stopped at \(stop)")
        }
        let terms = try short.context(iterations: 1).objective.terms
        let place = terms.firstIndex { $0.isRegularizer }
        let prior = try #require(place)
        func rest(_ iteration: Int) -> Double {
            terms.indices.filter { $0 != prior }
                .reduce(0) { $0 + terms[$1].weight * whole.history.terms[iteration * terms.count + $1] }
        }
        let factors = try #require(whole.balance)
        #expect(abs(factors[prior] / rest(204) - 1) < 1e-12)
        #expect(terms.indices.allSatisfy { $0 == prior || factors[$0] == 1 })
        let early = try short.train("early", iterations: 102)
        #expect(early.balance?[prior] == rest(100))
        // What the history calls the loss is R + w R P.
        let p = whole.history.terms[150 * terms.count + prior]
        #expect(abs(whole.history.totals[150] / (rest(150) * (1 + terms[prior].weight * p)) - 1) < 1e-12)
    }

    @Test func aDecomposedRunWithFourierFeaturesGoesOnAsIfItHadNotBeenStopped() throws {
        var short = try ShortRun()
        short.configuration.network = try NetworkConfiguration(
            parsing: "2x12+2x10", subdomains: "2x3", fourier: "none+2")
        try short.configuration.set("optimizer", to: "adam:10,lbfgs:8")
        short.configuration.stream.sample = 600
        let whole = try short.train("whole", iterations: 18, threads: 3)
        #expect(whole.parameters.count == 6 * ((36 + 156 + 39) + (110 + 110 + 11)))
        for stop in [7, 13] {
            try short.train("run\(stop)", iterations: 18, stopAt: stop, threads: 1)
            #expect(sameBits(try short.resume("run\(stop)", iterations: 18, threads: 2), whole), "stopped at \(stop)")
        }
        #expect(whole.history.totals.last! < 0.9 * whole.history.totals[0])
    }

    @Test func aPlanFromBeforeSubdomainsAndFourierFeaturesIsStillRead() throws {
        var configuration = TrainingConfiguration()
        configuration.network = try NetworkConfiguration(parsing: "6x40+6x40")
        configuration.seed = 7
        let text = configuration.toml.split(separator: "\n").filter {
            !$0.hasPrefix("subdomains") && !$0.hasPrefix("fourier")
        }
        #expect(text.count == configuration.toml.split(separator: "\n").count - 2)
        #expect(try TrainingConfiguration(toml: text.joined(separator: "\n")) == configuration)
        configuration.network = try NetworkConfiguration(parsing: "6x40+6x40", subdomains: "2x3", fourier: "4")
        #expect(try TrainingConfiguration(toml: configuration.toml) == configuration)
        // The name of the version before.
        let former = configuration.toml.replacingOccurrences(of: "subdomains", with: "tiles")
        #expect(try TrainingConfiguration(toml: former) == configuration)
        // As a person would write a number.
        #expect(
            try TrainingConfiguration(toml: configuration.toml.replacingOccurrences(of: "\"4\"", with: "4"))
                == configuration)
    }

    @Test func aSampleOfSeveralChunksHasTheLossOfAllTheirPoints() throws {
        var short = try ShortRun()
        try short.configuration.set("optimizer", to: "lbfgs")
        short.configuration.stream = StreamConfiguration(chunk: 50, data: 30, front: 20, sample: 150)
        let parts = try short.train("parts", iterations: 1)
        let context = try short.context(iterations: 1)
        let start = context.objective.residualProblem.networks.initialParameters(seed: 0)
        var sum = 0.0
        for number in 0..<3 {
            let chunk = try context.stream.chunk(
                ChunkRequest(.fixed(part: number, of: 3, since: 0)), next: nil)
            var gradient: [Float] = []
            sum += try context.objective.evaluate(
                context.backend, parameters: start, chunk: chunk, gradient: &gradient
            ).total
        }
        #expect(abs(parts.history.totals[0] - sum / 3) < 1e-12 * sum)
    }

    @Test func seedsDecideEverything() throws {
        var short = try ShortRun()
        let first = try short.train("first", iterations: 5)
        #expect(sameBits(try short.train("again", iterations: 5), first))
        short.configuration.seed = 2
        #expect(!sameBits(try short.train("other", iterations: 5), first))
    }

    @Test func trainingFindsTheViscosityOfTheExactShelf() throws {
        var short = try ShortRun()
        try short.configuration.set("network", to: "3x24")
        // The stress at the front alone decides the level of a constant viscosity, 1/12 in these units: its square is small.
        short.configuration.weights.equation = 30
        short.configuration.weights.front = 30
        short.configuration.learningRate.peak = 4e-3
        short.configuration.learningRate.halfLife = 800
        let end = try short.train("run", iterations: 4000)
        let context = try short.context(iterations: 0)
        let points = PointBatch(columns: [[-0.5, 0, 0.3, 0.7], [0.1, 0, -0.6, 0.5]])
        let program = PointProgram(
            Program.recording { tracer in
                let point = FieldPoint(
                    tracer: tracer, unknowns: Quantity.allCases,
                    maps: FieldScaling(context.store.description, Constants()).maps, columns: ["x", "y"])
                return [point.value(.viscosity)]
            })
        let mu = try context.backend.outputs(of: program, parameters: end.parameters, at: points)[0]
        let scale = context.store.description.scales.viscosity(Constants())
        for value in mu {
            // Four thousand steps of a small network leave up to 8 %; a wrong factor in an equation would leave 25 % and more.
            #expect(abs(Double(value) * scale / ExactShelf.viscosity - 1) < 0.15)
        }
    }

    @Test func aRunWhoseLossIsFlatEndsBeforeItsTotalAndGoesOnWhereItIsAskedTo() throws {
        var short = try ShortRun()
        // Too small for the shelf: it has soon got as far as it can.
        try short.configuration.set("network", to: "1x2")
        try short.configuration.set("optimizer", to: "adam:20,ssbroyden")
        short.configuration.stream.sample = 300
        short.configuration.stop = .flat
        let end = try short.train("run", iterations: 20_000)
        #expect(end.iteration > 20 + PlateauCriterion.window && end.iteration < 20_000)
        // Not an iteration earlier.
        let losses = end.history.totals
        let before = end.iteration - 1
        #expect(losses[before - PlateauCriterion.window] / losses[before] - 1 >= 0.05)
        // A run that was stopped on the way ends where the other did, and one that has ended at once.
        try short.train("other", iterations: 20_000, stopAt: 700)
        #expect(sameBits(try short.resume("other", iterations: 20_000), end))
        #expect(sameBits(try short.resume("other", iterations: 20_000), end))
        #expect(end.hasEnded)
        short.configuration.stop = .total
        #expect(try short.resume("run", iterations: end.iteration + 50).iteration == end.iteration + 50)
    }

    @Test("a loss is flat where what it loses in two thousand iterations is little for the values that were observed")
    func flatness() {
        let falling = (0...2500).map { 2 * exp(-Double($0) / 5000) }
        let flat = falling.map { 1 + 1e-2 * $0 }
        for (losses, values, expected) in [
            (falling, 70_000, false), (flat, 70_000, true), (flat, 1_000_000, false), (falling, 500, false),
            (flat, 500, true),
        ] {
            let loss = losses[losses.count - 1]
            #expect(PlateauCriterion.isReached(losses.dropLast(), loss: loss, observedValues: values) == expected)
        }
        // Of fewer iterations nothing is said.
        #expect(!PlateauCriterion.isReached(flat.prefix(1900), loss: flat[1900], observedValues: 1000))
        #expect(!PlateauCriterion.isReached(flat.dropLast(), loss: flat[2500], observedValues: 0))
    }

    @Test func aLossThatBecomesNaNStopsWithTheLastGoodCheckpointNamed() throws {
        var short = try ShortRun()
        let good = try short.train("run", iterations: 5)
        short.configuration.learningRate.peak = 1e30
        short.configuration.learningRate.warmUp = 0
        let directory = RunDirectory(short.folder.file("run"))
        try directory.acquire(resuming: true)
        let before = directory.checkpoints
        var trainer = try Trainer(resuming: good, short.context(iterations: 50), in: directory)
        let failure = #expect(throws: RunError.self) {
            _ = try trainer.run(checkpointEvery: .zero, shouldStop: { false }, report: { _ in })
        }
        #expect(failure?.kind == .diverged)
        #expect(failure?.explanation.contains("checkpoint-") == true)
        #expect(before.allSatisfy(directory.checkpoints.contains))
        #expect(try directory.newestCheckpoint(report: { _ in }).parameters.allSatisfy(\.isFinite))
    }

    /// With points drawn at iteration 22, it fails at the drawing.
    @Test(arguments: [false, true], ["uniform", "rad:every=22"])
    func aStoreThatFailsEndsTheRunWithACheckpointOfWhatItReached(cut: Bool, sampling: String) throws {
        var short = try ShortRun()
        try short.configuration.set("sampling", to: sampling)
        let whole = try short.train("whole", iterations: 40)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: short.configuration.store))
        let directory = RunDirectory(short.folder.file("run"))
        try directory.acquire()
        var trainer = Trainer(starting: try short.context(iterations: 40), in: directory)
        var reached = 0
        // No checkpoint is due for an hour: the one that is found was made by the failure.
        let failure = #expect(throws: RunError.self) {
            _ = try trainer.run(checkpointEvery: .seconds(3600), shouldStop: { false }) { now in
                reached = now.iteration
                guard reached == 21 else { return }
                // In place, as the file that the trainer has open, and never shorter on the way: a chunk is read ahead
                // meanwhile.
                let file = FileHandle(forUpdatingAtPath: short.configuration.store)
                if cut { try? file?.truncate(atOffset: 8192) } else { file?.write(Data(bytes.map { $0 ^ 8 })) }
            }
        }
        // One chunk had been read ahead.
        #expect(reached == 21 || reached == 22)
        #expect(failure?.kind == (cut ? .inputOutput : .badData))
        #expect(failure?.explanation.contains("--resume") == true, "\(String(describing: failure))")
        #expect(try directory.newestCheckpoint(report: { _ in }).iteration == reached + 1)
        try bytes.write(to: URL(fileURLWithPath: short.configuration.store))
        var resumed = try Trainer(
            resuming: directory.newestCheckpoint(report: { _ in }), short.context(iterations: 40), in: directory)
        _ = try resumed.run(checkpointEvery: .seconds(3600), shouldStop: { false }, report: { _ in })
        #expect(sameBits(try directory.newestCheckpoint(report: { _ in }), whole))
    }

    @Test func theSecondTrainerOfARunIsToldWhoHoldsIt() throws {
        let short = try ShortRun()
        let first = RunDirectory(short.folder.file("run"))
        try first.acquire()
        let second = RunDirectory(short.folder.file("run"))
        let failure = #expect(throws: RunError.self) { try second.acquire() }
        #expect(failure?.kind == .heldByAnother)
        #expect(failure?.explanation.contains("process \(ProcessInfo.processInfo.processIdentifier)") == true)
        // Before the first has written a checkpoint as well.
        let third = RunDirectory(short.folder.file("run"))
        let asked = #expect(throws: RunError.self) { try third.newestCheckpoint(report: { _ in }) }
        #expect(asked?.explanation == failure?.explanation)
        withExtendedLifetime(first) {}
        let empty = #expect(throws: RunError.self) { try RunDirectory("nowhere").newestCheckpoint(report: { _ in }) }
        #expect(empty?.kind == .missingInput)
    }
}

@Suite struct CheckpointTests {
    @Test func everyFlippedByteOfACheckpointIsNoticedAndTheOneBeforeIsUsed() throws {
        let short = try ShortRun()
        try short.train("run", iterations: 3)
        let kept = try short.resume("run", iterations: 6)
        let directory = RunDirectory(short.folder.file("run"))
        let newest = directory.checkpoints[0]
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: newest)))
        // Every byte would take minutes on a file of its size; a prime stride visits header, data, padding and seal.
        for place in Array(stride(from: 0, to: bytes.count, by: 97)) + Array(bytes.count - 24..<bytes.count) {
            var damaged = bytes
            damaged[place] ^= 8
            try Data(damaged).write(to: URL(fileURLWithPath: newest))
            var reports: [String] = []
            let found = try directory.newestCheckpoint(report: { reports.append($0) })
            #expect(found.iteration == 3 && reports.count == 1, "byte \(place)")
        }
        try Data(bytes).write(to: URL(fileURLWithPath: newest))
        #expect(sameBits(try directory.newestCheckpoint(report: { _ in }), kept))
    }

    @Test func aCheckpointReadsBackAsItWasWritten() throws {
        let short = try ShortRun()
        let written = try short.train("run", iterations: 3)
        var changed = written
        changed.configuration.constants.gravity = 9.8
        changed.configuration.seed = UInt64.max / 3
        try changed.write(to: short.folder.file("one.nc"))
        let read = try Checkpoint(reading: short.folder.file("one.nc"))
        #expect(read.configuration == changed.configuration)
        #expect(sameBits(read, written))
    }

    @Test func theLastThreeCheckpointsAreKeptAndNothingElse() throws {
        let short = try ShortRun()
        try short.train("run", iterations: 1)
        for iterations in 2...6 { try short.resume("run", iterations: iterations) }
        let directory = RunDirectory(short.folder.file("run"))
        #expect(directory.checkpoints.map { $0.suffix(4 + 2) } == ["006.nc", "005.nc", "004.nc"].map { $0.suffix(6) })
    }
}
