import Compute
import ComputeCPU
import Glibc
import Networks
import Pointwise
import TestSupport
import Testing

@Suite("The CPU backend")
struct CPUBackendTests {
    /// Widths that no vector divides, and counts that leave tails of all sizes: tiles take 192, 64 and 32 points of one, three
    /// and six channels.
    @Test("agrees with the reference", arguments: [1, 3, 7, 33, 130], [1, 31, 33, 193])
    func gradient(width: Int, count: Int) throws {
        let sample = SampleWorkload(hiddenLayers: 2, width: width)
        try compare(sample, CPUBackend(sample.residualProblem, threads: 2), count: count)
    }

    @Test("agrees with the reference on every instruction set that this machine has", arguments: [1, 7, 40, 128])
    func instructionSets(width: Int) throws {
        let sample = SampleWorkload(hiddenLayers: 3, width: width)
        for kernels in TileKernels.available {
            try compare(sample, CPUBackend(sample.residualProblem, threads: 2, kernels: kernels), count: 70)
        }
    }

    /// Programs that read one network only (a column's misfit) and programs that read both, with other derivatives.
    @Test("agrees with the reference for networks side by side", arguments: [1, 8, 40], [5, 64])
    func networksSideBySide(width: Int, count: Int) throws {
        let lonely = PointProgram(
            Program.recording { tracer in
                [tracer.input(.channel(output: 2, .x)) - tracer.input(.column(2))]
            })
        let uneven = PointProgram(
            Program.recording { tracer in
                [
                    tracer.input(.channel(output: 0, .xy)) * tracer.input(.channel(output: 2, .y)),
                    tracer.input(.channel(output: 2, .value)) * tracer.input(.channel(output: 1, .yy)),
                ]
            })
        let sample = SampleWorkload(
            hiddenLayers: 2, width: width, split: true, programs: [.sample(.second), lonely, uneven])
        try compare(sample, CPUBackend(sample.residualProblem, threads: 2), count: count)
    }

    private func compare(_ sample: SampleWorkload, _ backend: CPUBackend, count: Int) throws {
        let batches = (0..<3).map { SampleWorkload.points(count, seed: UInt64($0)) }
        var gradient: [Float] = []
        let sums = try backend.squaredResiduals(
            parameters: sample.parameters, batches: batches, coefficients: sample.coefficients, gradient: &gradient)
        let exact = ReferenceBackend(sample.residualProblem).squaredResiduals(
            parameters: sample.parameters.map(Double.init), batches: batches, coefficients: sample.coefficients)
        // float32 has 6e-8 a rounding; a gradient sums some hundred terms of mixed sign, a sum of squares only positive ones.
        #expect(relativeError(gradient.map(Double.init), exact.gradient) < 3e-6)
        for (sum, exactSum) in zip(sums.joined(), exact.sums.joined()) {
            #expect(abs(sum - exactSum) < 3e-6 * exactSum)
        }
    }

    @Test(
        "gives the reference's outputs, all channels of them", arguments: [1, 7, 33],
        [Derivatives.none, .first, .second])
    func outputs(width: Int, derivatives: Derivatives) throws {
        let sample = SampleWorkload(hiddenLayers: 4, width: width)
        let program = PointProgram.channels(derivatives, outputs: SampleWorkload.outputs)
        for count in [1, 31, 33, 193, 400] {
            let points = SampleWorkload.points(count)
            let fast = try CPUBackend(sample.residualProblem, threads: 2).outputs(
                of: program, parameters: sample.parameters, at: points)
            let exact = ReferenceBackend(sample.residualProblem).outputs(
                of: program, parameters: sample.parameters.map(Double.init),
                at: points.columns.map { $0.map(Double.init) })
            #expect(fast.count == exact.count && fast.allSatisfy { $0.count == count })
            for (channel, exactChannel) in zip(fast, exact) {
                // Five layers of float32 on numbers of order one; a channel's error is measured by its size and one.
                let miss = norm(zip(channel, exactChannel).map { Double($0) - $1 })
                #expect(miss < 2e-6 * (norm(exactChannel) + Double(count).squareRoot()))
            }
        }
    }

    /// ⟨J v, w⟩ = ⟨v, Jᵀ w⟩ with w = 2 c r: J v by differences of the reference in double along a direction of all
    /// parameters, Jᵀ w is the gradient.
    @Test("gives a gradient that is the adjoint of the residuals' Jacobian", arguments: UInt64(1)...4)
    func adjointIdentity(seed: UInt64) throws {
        let sample = SampleWorkload(hiddenLayers: 3, width: 17)
        let reference = ReferenceBackend(sample.residualProblem)
        let batches = (0..<3).map { SampleWorkload.points(45, seed: seed * 10 + $0) }
        var gradient: [Float] = []
        _ = try CPUBackend(sample.residualProblem, threads: 2).squaredResiduals(
            parameters: sample.parameters, batches: batches, coefficients: sample.coefficients, gradient: &gradient)
        var numbers = SeededNumbers(seed: seed)
        let v = numbers.vector(gradient.count)
        let parameters = sample.parameters.map(Double.init)
        func residuals(_ program: Int, _ move: Double) -> [[Double]] {
            reference.outputs(
                of: sample.residualProblem.programs[program], parameters: zip(parameters, v).map { $0 + move * $1 },
                at: batches[program].columns.map { $0.map(Double.init) })
        }
        var product = 0.0
        for (program, coefficients) in sample.coefficients.enumerated() {
            let w = zip(residuals(program, 0), coefficients).flatMap { residual, c in residual.map { 2 * c * $0 } }
            // Order 8 at 1e-3 of the length of v: errors far below those of float32.
            product += Difference.derivative(step: 1e-3) { dot(residuals(program, $0).flatMap { $0 }, w) }
        }
        let pairing = dot(v, gradient.map(Double.init))
        // The gradient's error (3e-6 of its norm at most) against a random direction.
        #expect(abs(product - pairing) < 3e-6 * norm(v) * norm(gradient.map(Double.init)))
        #expect(
            abs(product) > 1e-3 * norm(v) * norm(gradient.map(Double.init)),
            "a direction that sees nothing proves nothing")
    }

    @Test("forgets what it computed before, NaN included")
    func leavesNothingBehind() throws {
        let sample = SampleWorkload(hiddenLayers: 2, width: 9)
        let good = (0..<3).map { SampleWorkload.points(21, seed: UInt64($0)) }
        let poison = PointBatch(columns: [[Float]](repeating: [Float](repeating: .nan, count: 500), count: 3))
        func run(_ backend: CPUBackend, _ batches: [PointBatch]) throws -> ([UInt32], [[Double]]) {
            var gradient: [Float] = []
            let sums = try backend.squaredResiduals(
                parameters: sample.parameters, batches: batches, coefficients: sample.coefficients, gradient: &gradient)
            return (gradient.map(\.bitPattern), sums)
        }
        let used = CPUBackend(sample.residualProblem, threads: 2)
        let poisoned = try run(used, [poison, poison, poison])
        #expect(poisoned.1.joined().allSatisfy { $0.isNaN })
        let again = try run(used, good)
        let fresh = try run(CPUBackend(sample.residualProblem, threads: 2), good)
        #expect(again.0 == fresh.0)
        #expect(again.1 == fresh.1)
    }
}

@Suite("Every backend")
struct EveryBackendTests {
    private static let sample = SampleWorkload(hiddenLayers: 2, width: 6)

    private static func run(
        _ backend: any Backend, _ batches: [PointBatch], scale: Double = 1, from start: [Float] = []
    ) throws -> (sums: ResidualSums, gradient: [Float]) {
        var gradient = start
        let coefficients = zip(
            backend.residualProblem.programs, sample.coefficients.suffix(backend.residualProblem.programs.count)
        )
        .map {
            $1.map { scale * $0 }
        }
        let sums = try backend.squaredResiduals(
            parameters: sample.parameters, batches: batches, coefficients: coefficients, gradient: &gradient)
        return (sums, gradient)
    }

    @Test("skips empty batches", arguments: 0..<3)
    func emptyBatches(number: Int) throws {
        let backend = Self.sample.backends[number]
        let empty = SampleWorkload.points(0)
        let nothing = try Self.run(backend, [empty, empty, empty], from: [7])
        #expect(nothing.gradient == [Float](repeating: 0, count: Self.sample.parameters.count))
        #expect(nothing.sums == Self.sample.coefficients.map { $0.map { _ in 0 } })

        // As if the empty ones were not in the problem at all.
        let points = SampleWorkload.points(77)
        let padded = try Self.run(backend, [empty, empty, points])
        let alone = try Self.run(
            SampleWorkload(hiddenLayers: 2, width: 6, programs: [.sample(.second)]).backends[number], [points])
        #expect(padded.sums[2] == alone.sums[0])
        #expect(padded.sums[0] + padded.sums[1] == [0, 0, 0, 0, 0])
        #expect(padded.gradient == alone.gradient)
    }

    @Test("gives the same bits when it is called twice, whatever the gradient held", arguments: 0..<3)
    func repeats(number: Int) throws {
        let backend = Self.sample.backends[number]
        let batches = [40, 3, 100].map { SampleWorkload.points($0) }
        let first = try Self.run(backend, batches)
        let second = try Self.run(backend, batches, from: first.gradient.map { _ in .nan })
        #expect(first.gradient.map(\.bitPattern) == second.gradient.map(\.bitPattern))
        #expect(first.sums == second.sums)
        let program = PointProgram.channels(.second, outputs: SampleWorkload.outputs)
        let outputs = try (0..<2).map { _ in
            try backend.outputs(of: program, parameters: Self.sample.parameters, at: batches[2])
        }
        #expect(outputs[0] == outputs[1])
        let none = try backend.outputs(of: program, parameters: Self.sample.parameters, at: SampleWorkload.points(0))
        #expect(none.count == 18 && none.allSatisfy { $0.isEmpty })
    }

    @Test("scales its gradient with the coefficients, and not its sums", arguments: 0..<3)
    func linearInCoefficients(number: Int) throws {
        let backend = Self.sample.backends[number]
        let batches = [40, 3, 100].map { SampleWorkload.points($0) }
        let one = try Self.run(backend, batches)
        let four = try Self.run(backend, batches, scale: 4)
        // A power of two commutes with every rounding.
        #expect(four.gradient == one.gradient.map { 4 * $0 })
        #expect(four.sums == one.sums)
    }
}
