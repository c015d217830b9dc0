import Compute
import Fields
import Glibc
import Objective
import PointStore
import Runs
import TestSupport
import Testing
import Training

/// Σ (found − expected)² / expected.
private func chiSquare(_ found: [Double], _ expected: [Double]) -> Double {
    zip(found, expected).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) / $1.1 }
}

@Suite struct ResidualDensityTests {
    @Test(arguments: [(1.0, 1.0), (2, 0), (0.5, 0), (1, 0), (3, 0.1), (0, 1)])
    func everyCandidateIsDrawnAsOftenAsItsDensitySays(exponent: Double, floor: Double) throws {
        var numbers = SeededNumbers(seed: 5)
        // Four decades of residuals, as at a shear margin.
        let residuals = (0..<2000).map { _ in Float(pow(10, numbers.next(-3..<1))) }
        let weights = ResidualDensity(exponent: exponent, floor: floor).weights(residuals)
        let powers = residuals.map { pow(Double($0), exponent) }
        let mean = powers.reduce(0, +) / 2000
        let due = powers.map { 500 * ($0 / mean + floor) / (2000 * (1 + floor)) }
        // The mean over the random number, by the midpoint rule.
        let drawings = 400
        var times = [Int](repeating: 0, count: 2000)
        for drawing in 0..<drawings {
            var here = [Int](repeating: 0, count: 2000)
            let places = ResidualDensity.places(weights, count: 500, random: (Double(drawing) + 0.5) / Double(drawings))
            #expect(places.count == 500 && places == places.sorted())
            for place in places { here[place] += 1 }
            for place in here.indices {
                // Never more than one from what is due: the variance is the smallest that whole numbers have.
                #expect(abs(Double(here[place]) - due[place]) < 1 + 1e-9)
                times[place] += here[place]
            }
        }
        for place in times.indices {
            // The midpoint rule counts a run of length π to one of its points.
            #expect(abs(Double(times[place]) / Double(drawings) - due[place]) <= 2.001 / Double(drawings))
        }
    }

    @Test(arguments: [[0, 0, 0, 0], [1, .nan, 1, 1], [1, .infinity, 2, 1]] as [[Float]])
    func withoutADensityDrawingsAreUniform(residuals: [Float]) {
        let weights = ResidualDensity(exponent: 1, floor: 0).weights(residuals)
        #expect(ResidualDensity.places(weights, count: 8, random: 0.3) == [0, 0, 1, 1, 2, 2, 3, 3])
    }
}

@Suite struct SamplingTests {
    private func run(_ sampling: String, _ optimizer: String = "adam", sample: Int = 900) throws -> ShortRun {
        var short = try ShortRun()
        try short.configuration.set("optimizer", to: optimizer)
        short.configuration.stream.sample = sample
        try short.configuration.set("sampling", to: sampling)
        return short
    }

    /// Collocation points of a run of chunks, read from the store by hand.
    private func points(_ chunks: Range<Int>, of context: TrainingContext) throws -> [[Float]] {
        let order = ChunkOrder(
            .collocation, count: context.store.count(.collocation), size: context.stream.size(.collocation),
            seed: context.configuration.seed)
        var columns: [[Float]] = [[], []]
        for number in chunks {
            let chunk = try context.store.read(.collocation, order.points(iteration: number))
            for column in 0..<2 { columns[column] += chunk[column] }
        }
        return columns
    }

    /// |r| of the momentum balance, by the plain loops of the reference.
    private func residuals(_ parameters: [Float], at columns: [[Float]], of context: TrainingContext) throws -> [Double]
    {
        let residualProblem = context.objective.residualProblem
        let number = try #require(context.objective.sets.firstIndex(of: .collocation))
        let outputs = ReferenceBackend(residualProblem).outputs(
            of: residualProblem.programs[number], parameters: parameters.map(Double.init),
            at: columns.map { $0.map(Double.init) })
        return outputs[0].indices.map { point in
            outputs.reduce(0) { $0 + $1[point] * $1[point] }.squareRoot()
        }
    }

    @Test(arguments: [(1.0, 1.0), (2, 0)])
    func theTrainerDrawsByTheDensityOfItsOwnResiduals(exponent: Double, floor: Double) throws {
        let short = try run("rad:k=\(exponent),c=\(floor),every=20,candidates=5", sample: 3000)
        let end = try short.train("run", iterations: 20)
        let resampled = try #require(end.resampled)
        #expect(resampled.iteration == 20 && resampled.columns.map(\.count) == [3000, 3000])
        // The first drawing, by the weights that the checkpoint holds, from 50 chunks after as many.
        let context = try short.context(iterations: 20)
        let candidates = try points(50..<100, of: context)
        let norms = try residuals(end.parameters, at: candidates, of: context)
        let mean = norms.reduce(0) { $0 + pow($1, exponent) } / Double(norms.count)
        let limits = (1..<10).map { norms.sorted()[norms.count * $0 / 10] }
        func bin(_ norm: Double) -> Int { limits.filter { $0 <= norm }.count }
        var expected = [Double](repeating: 0, count: 10)
        var uniform = expected
        for norm in norms {
            expected[bin(norm)] += 3000 * (pow(norm, exponent) / mean + floor) / (Double(norms.count) * (1 + floor))
            uniform[bin(norm)] += 3000 / Double(norms.count)
        }
        var found = [Double](repeating: 0, count: 10)
        for norm in try residuals(end.parameters, at: resampled.columns, of: context) { found[bin(norm)] += 1 }
        // 27.9 is passed by one in a thousand of multinomial drawings with nine degrees of freedom.
        #expect(chiSquare(found, expected) < 27.9, "\(found), \(expected)")
        // And far from uniform: twice that.
        #expect(chiSquare(found, uniform) > 56, "\(found)")
        // None but candidates.
        let known = Set(candidates[0].map(\.bitPattern))
        #expect(resampled.columns[0].allSatisfy { known.contains($0.bitPattern) })
    }

    @Test func pointsOfMoreThanTheMeanResidualAreRetainedAndTheOthersReleased() throws {
        let short = try run("r3:every=20")
        let before = try #require(try short.train("run", iterations: 20).resampled)
        let end = try short.resume("run", iterations: 40)
        let after = try #require(end.resampled)
        let context = try short.context(iterations: 40)
        let fresh = try points(6..<9, of: context)
        let norms = try residuals(end.parameters, at: before.columns, of: context)
        let mean = norms.reduce(0, +) / Double(norms.count)
        var retained = 0
        for (place, norm) in norms.enumerated() where abs(norm / mean - 1) > 1e-3 {
            let source = norm > mean ? before.columns : fresh
            retained += norm > mean ? 1 : 0
            for column in 0..<2 { #expect(after.columns[column][place] == source[column][place]) }
        }
        #expect(retained > 90 && retained < 810)
    }

    /// Stopped before, at and after drawings, in both phases and at the change between them.
    @Test(arguments: [
        ("rad:every=8", "lbfgs"), ("r3:every=8", "lbfgs"), ("uniform:every=8", "lbfgs"), ("rad:every=8", "ssbroyden"),
    ]) func aRunThatDrawsGoesOnAsIfItHadNotBeenStopped(sampling: String, optimizer: String) throws {
        let short = try run(sampling, "adam:10,\(optimizer):16")
        let whole = try short.train("whole", iterations: 26, threads: 2)
        #expect(whole.resampled?.iteration == (sampling.hasPrefix("uniform") ? nil : 24))
        for stop in [7, 8, 9, 10, 15, 16, 17, 25] {
            try short.train("run\(stop)", iterations: 26, stopAt: stop, threads: 1)
            let resumed = try short.resume("run\(stop)", iterations: 26, threads: 3)
            #expect(sameBits(resumed, whole) && resumed.resampled == whole.resampled, "stopped at \(stop)")
        }
    }

    @Test(arguments: ["rad:every=12", "r3:every=12", "uniform:every=12"])
    func untilTheFirstDrawingPointsAreThoseOfUniformSampling(sampling: String) throws {
        let control = try run("uniform", "adam:6,lbfgs:12").train("run", iterations: 18)
        #expect(control.resampled == nil)
        let short = try run(sampling, "adam:6,lbfgs:12")
        let losses = try short.train("run", iterations: 18).history.totals
        #expect(losses[..<12] == control.history.totals[..<12])
        #expect(losses[12] != control.history.totals[12])
    }

    @Test func afterADrawingTheLossIsThatOfTheDrawnPointsAndOfObservationsOfTheirOwn() throws {
        let short = try run("rad:every=3", "lbfgs")
        let end = try short.train("run", iterations: 3)
        let context = try short.context(iterations: 4)
        let more = try short.resume("run", iterations: 4)
        let resampled = try #require(end.resampled)
        var sum = 0.0
        for place in 0..<3 {
            let name = ChunkNumber.fixed(part: place, of: 3, since: 3)
            var chunk = try context.stream.chunk(ChunkRequest(name), next: nil)
            chunk.columns[.collocation] = resampled.columns.map {
                FloatColumn(Array($0[place * 300..<(place + 1) * 300]))
            }
            var gradient: [Float] = []
            sum += try context.objective.evaluate(
                context.backend, parameters: end.parameters, chunk: chunk, gradient: &gradient
            ).total
        }
        #expect(abs(more.history.totals[3] - sum / 3) < 1e-12 * sum)
    }

    @Test func squaresOfThePointsResidualsAverageToTheirPartOfTheLoss() throws {
        let context = try run("rad").context(iterations: 1)
        let parameters = context.objective.residualProblem.networks.initialParameters(seed: 0)
        let chunk = try context.stream.chunk(0)
        var gradient: [Float] = []
        let loss = try context.objective.evaluate(
            context.backend, parameters: parameters, chunk: chunk, gradient: &gradient)
        for (set, names) in [(PointSet.collocation, ["equation"]), (.velocity, ["velocity"])] {
            let residuals = try context.objective.residuals(
                context.backend, parameters: parameters, of: set, at: PointBatch(columns: chunk.columns[set] ?? []))
            let part = zip(context.objective.terms, loss.terms).reduce(0) {
                $0 + (names.contains($1.0.name) ? $1.0.weight * $1.1 : 0)
            }
            let mean = residuals.reduce(0) { $0 + Double($1) * Double($1) } / Double(residuals.count)
            // A float32 root and square.
            #expect(abs(mean - part) < 1e-6 * part)
        }
    }

    @Test(arguments: [
        "uniform", "uniform:every=7", "rad", "rad:k=0.5,c=2,every=10,candidates=3", "rad:every=1e3", "r3",
        "r3:every=10",
    ]) func aSamplingReadsBackAsItIsSpelled(text: String) throws {
        let sampling = try #require(SamplingConfiguration(parsing: text))
        #expect(SamplingConfiguration(parsing: sampling.description) == sampling)
        var configuration = TrainingConfiguration()
        configuration.sampling = sampling
        #expect(try TrainingConfiguration(toml: configuration.toml) == configuration)
    }

    @Test(arguments: [
        "", "rat", "rad:", "rad:k", "rad:k=", "rad:k=-1", "rad:k=nan", "rad:c=inf", "rad:every=0", "rad:k=1,k=1",
        "r3:k=1", "uniform:c=1", "r3:every=1.5", "rad:candidates=0",
    ]) func whatIsNoSamplingIsRefused(text: String) {
        var configuration = TrainingConfiguration()
        let failure = #expect(throws: OptionError.self) { try configuration.set("sampling", to: text) }
        #expect(failure?.explanation.contains("--sampling") == true)
    }
}
