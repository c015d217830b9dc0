import Networks
import TestSupport
import Testing

import Optimizers

/// Names of the methods that do with losses and gradients.
let gradientMethods = OptimizerCatalog.all.filter { $0 is any GradientOptimizer.Type }.map { $0.name }

/// The state of an optimizer, by which checkpoints are written and memory and disk are planned.
@Suite("An optimizer's state")
struct OptimizerStateTests {
    private static let methods = gradientMethods
    private static let count = 37
    private static let start = (0..<count).map { Float($0 % 2 == 0 ? -1.2 : 1) + Float($0) / 50 }

    /// The first parameters are a layer's weights.
    private static var options: OptimizerOptions {
        var options = OptimizerOptions()
        options.matrices = [WeightMatrix(offset: 0, inputs: 4, outputs: 6)]
        return options
    }

    private static func optimizer(_ name: String) throws -> any GradientOptimizer {
        try #require(OptimizerCatalog.optimizer(named: name) as? any GradientOptimizer.Type).init(
            parameterCount: count, options: options)
    }

    /// Steps in Rosenbrock's valley, from `x` on; `each` is called after every step.
    private static func run(
        _ optimizer: inout any GradientOptimizer, _ x: inout [Float], steps: Range<Int>,
        _ each: (any GradientOptimizer, [Float]) -> Void = { _, _ in }
    ) throws {
        var gradient: [Float] = []
        for step in steps {
            if step == 20 { optimizer.batchDidChange() }
            // Upside down once: no step is found, and what was learnt is dropped.
            let sign: Float = step == 40 ? -1 : 1
            let loss = QuasiNewtonTests.rosenbrock(x, &gradient)
            _ = try optimizer.step(&x, loss: loss, gradient: gradient.map { sign * $0 }) {
                QuasiNewtonTests.rosenbrock($0, &$1)
            }
            each(optimizer, x)
        }
    }

    @Test("reaches the size that is declared for it, and never more", arguments: methods)
    func size(name: String) throws {
        var optimizer = try Self.optimizer(name)
        let declared = type(of: optimizer).maxStateSize(parameterCount: Self.count, options: Self.options)
        var (largest, arrays) = (0, 0)
        var x = Self.start
        try Self.run(&optimizer, &x, steps: 50..<150) { optimizer, _ in
            largest = max(largest, optimizer.stored.byteCount)
            arrays = max(arrays, optimizer.stored.arrayCount)
            #expect(optimizer.state.byteCount == optimizer.stored.byteCount)
        }
        #expect(largest == declared.bytes && arrays == declared.arrays)
    }

    /// Parameters after each of 60 steps, as the program of version 1 had them, on x86-64. (Those of self-scaled Broyden's method, whose
    /// matrix is multiplied by OpenBLAS, depend on the processor.)
    @Test("leads L-BFGS where it did before search and descent were shared")
    func bits() throws {
        var optimizer = try Self.optimizer("lbfgs")
        var x = Self.start
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        try Self.run(&optimizer, &x, steps: 0..<60) { _, x in
            for value in x { hash = (hash ^ UInt64(value.bitPattern)) &* 0x100_0000_01b3 }
        }
        #expect(hash == 0x1e2f_c47e_180a_4d65)
    }

    @Test(
        "is refused, and stays as it was, where a stored one lacks an array or has one of another length",
        arguments: methods)
    func mismatch(name: String) throws {
        var trained = try Self.optimizer(name)
        var x = Self.start
        try Self.run(&trained, &x, steps: 50..<56)
        let stored = trained.stored
        var damaged: [StoredArrays] = []
        for name in stored.vectors.keys {
            var (without, shorter) = (stored, stored)
            without.vectors[name] = nil
            shorter.vectors[name]?.removeLast()
            damaged += [without, shorter]
        }
        for name in stored.doubles.keys {
            var shorter = stored
            shorter.doubles[name]?.removeLast()
            damaged.append(shorter)
        }
        for name in stored.counts.keys {
            var without = stored
            without.counts[name] = nil
            damaged.append(without)
        }
        if let pairs = stored.counts["pairs"] {
            for count in [pairs - 1, pairs + 1, 1 << 40] {
                var other = stored
                other.counts["pairs"] = count
                damaged.append(other)
            }
        }
        #expect(damaged.count > 2)
        for state in damaged {
            let failure = #expect(throws: StateMismatch.self) { try trained.restore(state) }
            #expect(failure?.kind == .badData)
            #expect(trained.stored == stored)
        }
        var another: any GradientOptimizer = type(of: trained).init(
            parameterCount: Self.count + 1, options: Self.options)
        #expect(throws: StateMismatch.self) { try another.restore(stored) }
    }
}
