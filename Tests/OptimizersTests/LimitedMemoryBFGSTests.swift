import Glibc
import TestSupport
import Testing

import Optimizers

@Suite("L-BFGS")
struct LimitedMemoryBFGSTests {
    /// Rosenbrock's valley in many dimensions, minimum 0 at (1, ..., 1).
    private static func rosenbrock(_ x: [Float], _ gradient: inout [Float]) -> Double {
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
        _ parameters: inout [Float], most: Int, _ evaluate: ([Float], inout [Float]) -> Double
    ) throws -> (losses: [Double], evaluations: Int) {
        var optimizer = LimitedMemoryBFGS(parameterCount: parameters.count, options: OptimizerOptions())
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

    @Test("goes down Rosenbrock's valley in many dimensions, and never up", arguments: [2, 5, 20])
    func rosenbrock(dimensions: Int) throws {
        var x = (0..<dimensions).map { Float($0 % 2 == 0 ? -1.2 : 1) }
        let (losses, evaluations) = try Self.minimize(&x, most: 400, Self.rosenbrock)
        // Float32 steps resolve the valley's floor to about 1e-7 in x, 1e-12 in the loss.
        #expect(losses.last! < 1e-9, "\(losses.count) steps")
        #expect(evaluations < 2 * losses.count + 20)
        for (before, after) in zip(losses, losses.dropFirst()) { #expect(after <= before * (1 + 2e-7)) }
    }

    @Test("needs about as many steps as a bowl has dimensions, however unlike its axes are")
    func quadratic() throws {
        let stiffness = (0..<12).map { pow(10, Double($0) / 3) }
        var x = stiffness.map { _ in Float(1) }
        let (losses, _) = try Self.minimize(&x, most: 100) { x, gradient in
            gradient = zip(x, stiffness).map { Float($1 * Double($0)) }
            return zip(x, stiffness).reduce(0) { $0 + $1.1 * Double($1.0) * Double($1.0) / 2 }
        }
        // Gradient descent takes thousands of steps at a condition of 4,600.
        let needed = losses.firstIndex { $0 < 1e-8 * losses[0] }
        #expect(needed.map { $0 < 60 } == true, "\(String(describing: needed)) of \(losses.count)")
    }

    @Test("is stuck, and leaves the parameters, where nothing is better")
    func bottom() throws {
        var x: [Float] = [1, 1, 1]
        let (losses, evaluations) = try Self.minimize(&x, most: 5, Self.rosenbrock)
        #expect(losses.count == 1 && evaluations == 1 && x == [1, 1, 1])
    }

    @Test("survives a loss that is not finite on the way")
    func overflow() throws {
        // −log x + x: not a number for x ≤ 0, minimum 1 at 1. The first steps from 1e-3 overshoot.
        var x: [Float] = [1e-3]
        let (losses, _) = try Self.minimize(&x, most: 60) { x, gradient in
            gradient = [-1 / x[0] + 1]
            return x[0] > 0 ? -log(Double(x[0])) + Double(x[0]) : .nan
        }
        #expect(abs(losses.last! - 1) < 1e-6)
    }
}

@Suite("A Wolfe search")
struct WolfeSearchTests {
    /// One-dimensional functions with their slopes, all falling at 0.
    private static let functions: [@Sendable (Double) -> (Double, Double)] = [
        { ($0 * $0 - 2 * $0, 2 * $0 - 2) },
        { (-$0 / ($0 * $0 + 2), ($0 * $0 - 2) / (($0 * $0 + 2) * ($0 * $0 + 2))) },  // Moré & Thuente (1994), 5.1
        { (pow($0 + 0.004, 5) - 2 * pow($0 + 0.004, 4), 5 * pow($0 + 0.004, 4) - 8 * pow($0 + 0.004, 3)) },  // 5.2
        { (exp(-$0) + 0.1 * $0, -exp(-$0) + 0.1) },
        { (sin(3 * $0) / 3 - 2 * $0 + 0.1 * $0 * $0, cos(3 * $0) - 2 + 0.2 * $0) },
    ]

    @Test(
        "ends at a length that meets both conditions, from any first length", arguments: 0..<5,
        [1e-3, 0.1, 1, 10, 1000])
    func conditions(number: Int, firstLength: Double) throws {
        let f = Self.functions[number]
        let start = WolfeSearch.Trial(length: 0, value: f(0).0, slope: f(0).1)
        var last = 0.0
        let search = WolfeSearch()
        let found = try #require(
            search.find(from: start, firstLength: firstLength) {
                last = $0
                return .init(length: $0, value: f($0).0, slope: f($0).1)
            })
        #expect(found.length == last && found.length > 0)
        #expect(
            found.value <= start.value + search.sufficientDecrease * found.length * start.slope
                + search.noise * abs(start.value))
        #expect(abs(found.slope) <= search.curvature * abs(start.slope))
    }

    @Test("finds nothing where the slope is not downhill")
    func uphill() {
        let found = WolfeSearch().find(from: .init(length: 0, value: 1, slope: 0.5), firstLength: 1) { _ in
            Issue.record("nothing is to be tried")
            return .init(length: 0, value: 0, slope: 0)
        }
        #expect(found == nil)
    }
}
