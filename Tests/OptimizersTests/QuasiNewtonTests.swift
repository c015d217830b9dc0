import Glibc
import TestSupport
import Testing

import Optimizers

/// The methods that compare losses on points that are kept.
@Suite("A quasi-Newton method")
struct QuasiNewtonTests {
    static let methods: [any GradientOptimizer.Type] = [LimitedMemoryBFGS.self, SelfScaledBroyden.self]

    /// Rosenbrock's valley in many dimensions, minimum 0 at (1, ..., 1).
    static func rosenbrock(_ x: [Float], _ gradient: inout [Float]) -> Double {
        let x = x.map(Double.init)
        var slope = [Double](repeating: 0, count: x.count)
        var loss = 0.0
        for k in 0..<x.count - 1 {
            let bend = x[k + 1] - x[k] * x[k]
            loss += 100 * bend * bend + (1 - x[k]) * (1 - x[k])
            slope[k] += -400 * x[k] * bend - 2 * (1 - x[k])
            slope[k + 1] += 200 * bend
        }
        gradient = slope.map(Float.init)
        return loss
    }

    /// Steps until stuck or `most`; the losses at the beginning of each step and at the end, and the evaluations.
    private static func minimize(
        _ method: any GradientOptimizer.Type, _ parameters: inout [Float], most: Int,
        _ evaluate: ([Float], inout [Float]) -> Double
    ) throws -> (losses: [Double], evaluations: Int) {
        var optimizer = method.init(parameterCount: parameters.count, options: OptimizerOptions())
        var gradient: [Float] = []
        var evaluations = 1
        var losses = [evaluate(parameters, &gradient)]
        for _ in 0..<most {
            var last = 0.0
            var lastGradient: [Float] = []
            let outcome = try optimizer.step(&parameters, loss: losses.last!, gradient: gradient) {
                evaluations += 1
                last = evaluate($0, &$1)
                lastGradient = $1
                return last
            }
            guard case .movedToLastEvaluation = outcome else { break }
            losses.append(last)
            gradient = lastGradient
            var again: [Float] = []
            #expect(
                evaluate(parameters, &again) == last && again == gradient, "the last evaluation is at the parameters")
        }
        return (losses, evaluations)
    }

    @Test("goes down Rosenbrock's valley in many dimensions, and never up", arguments: methods.indices, [2, 5, 20])
    func rosenbrock(method: Int, dimensions: Int) throws {
        var x = (0..<dimensions).map { Float($0 % 2 == 0 ? -1.2 : 1) }
        let (losses, evaluations) = try Self.minimize(Self.methods[method], &x, most: 400, Self.rosenbrock)
        // Float32 steps resolve the valley's floor to about 1e-7 in x, 1e-12 in the loss.
        #expect(losses.last! < 1e-9, "\(losses.count) steps")
        // At the floor a matrix in float32 mistakes the curvature, and searches take longer.
        #expect(evaluations < 3 * losses.count + 20)
        for (before, after) in zip(losses, losses.dropFirst()) { #expect(after <= before * (1 + 2e-7)) }
    }

    @Test("needs about as many steps as a bowl has dimensions, however unlike its axes are", arguments: methods.indices)
    func quadratic(method: Int) throws {
        let stiffness = (0..<12).map { pow(10, Double($0) / 3) }
        var x = stiffness.map { _ in Float(1) }
        let (losses, _) = try Self.minimize(Self.methods[method], &x, most: 100) { x, gradient in
            gradient = zip(x, stiffness).map { Float($1 * Double($0)) }
            return zip(x, stiffness).reduce(0) { $0 + $1.1 * Double($1.0) * Double($1.0) / 2 }
        }
        // Gradient descent takes thousands of steps at a condition of 4,600.
        let needed = losses.firstIndex { $0 < 1e-8 * losses[0] }
        #expect(needed.map { $0 < 60 } == true, "\(String(describing: needed)) of \(losses.count)")
    }

    @Test(
        "reports that it cannot descend, and leaves the parameters, where nothing is better", arguments: methods.indices
    )
    func bottom(method: Int) throws {
        var x: [Float] = [1, 1, 1]
        let (losses, evaluations) = try Self.minimize(Self.methods[method], &x, most: 5, Self.rosenbrock)
        #expect(losses.count == 1 && evaluations == 1 && x == [1, 1, 1])
    }

    @Test("survives a loss that is not finite on the way", arguments: methods.indices)
    func overflow(method: Int) throws {
        // −log x + x: not a number for x ≤ 0, minimum 1 at 1. The first steps from 1e-3 overshoot.
        var x: [Float] = [1e-3]
        let (losses, _) = try Self.minimize(Self.methods[method], &x, most: 60) { x, gradient in
            gradient = [-1 / x[0] + 1]
            return x[0] > 0 ? -log(Double(x[0])) + Double(x[0]) : .nan
        }
        #expect(abs(losses.last! - 1) < 1e-6)
    }
}
