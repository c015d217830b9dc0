import Glibc
import Networks
import Optimizers
import TestSupport
import Testing

/// Adam as the paper's algorithm 1 prints it, in double, with the rate that a schedule gives.
private struct PlainAdam {
    var m: [Double]
    var v: [Double]
    var t = 0.0

    mutating func step(_ theta: inout [Double], _ gradient: [Double], rate: Double) {
        t += 1
        for k in theta.indices {
            m[k] = 0.9 * m[k] + 0.1 * gradient[k]
            v[k] = 0.999 * v[k] + 0.001 * gradient[k] * gradient[k]
            let mHat = m[k] / (1 - pow(0.9, t))
            let vHat = v[k] / (1 - pow(0.999, t))
            theta[k] -= rate * mHat / (sqrt(vHat) + 1e-8)
        }
    }
}

private func steady(rate: Double) -> OptimizerOptions {
    var options = OptimizerOptions()
    options.schedule.peak = rate
    options.schedule.warmUp = 0
    options.schedule.halfLife = 0
    return options
}

@Suite("Adam")
struct AdamTests {
    @Test("takes the steps of the paper's algorithm, also where gradients are as small as its ε")
    func paper() {
        let count = 40
        var numbers = SeededNumbers(seed: 4)
        var options = OptimizerOptions()
        options.schedule.warmUp = 5
        options.schedule.halfLife = 10
        var adam = Adam(parameterCount: count, options: options)
        var plain = PlainAdam(m: numbers.vector(count).map { _ in 0 }, v: numbers.vector(count).map { _ in 0 })
        var parameters = numbers.vector(count).map(Float.init)
        var exact = parameters.map(Double.init)
        for iteration in 0..<30 {
            // From 1 down to 1e-9.
            let gradient = (0..<count).map { Float(numbers.next() * pow(10, -9 * Double($0) / Double(count))) }
            let before = exact
            plain.step(&exact, gradient.map(Double.init), rate: options.schedule.rate(iteration: iteration))
            adam.step(&parameters, loss: 0, gradient: gradient) { _, _ in 0 }
            // Parameters below two have roundings below 1.2e-7 a step; the moves themselves are known to 1e-6 of 1e-3.
            let bound = 1.2e-7 * Double(iteration + 1)
            for k in exact.indices { #expect(abs(Double(parameters[k]) - exact[k]) < bound) }
            #expect(before != exact)
        }
    }

    /// By hand: g = 3, −1, 2 at rate 0.1.
    ///     t = 1: m̂ = 3, v̂ = 9                                          θ = 1 − 0.1
    ///     t = 2: m = 0.17, m̂ = 0.17 / 0.19; v = 0.009991, v̂ = 0.009991 / 0.001999
    ///     t = 3: m = 0.353, m̂ = 0.353 / 0.271; v = 0.013981009, v̂ = 0.013981009 / 0.002997001
    @Test("takes three steps that were computed by hand")
    func threeSteps() {
        var adam = Adam(parameterCount: 1, options: steady(rate: 0.1))
        var theta: [Float] = [1]
        var expected = 1.0
        let moves = [1, (0.17 / 0.19) / sqrt(0.009991 / 0.001999), (0.353 / 0.271) / sqrt(0.013981009 / 0.002997001)]
        for (gradient, move) in zip([3, -1, 2] as [Float], moves) {
            adam.step(&theta, loss: 0, gradient: [gradient]) { _, _ in 0 }
            expected -= 0.1 * move
            // Some roundings of a number of order one.
            #expect(abs(Double(theta[0]) - expected) < 1e-6)
        }
    }

    @Test("moves every parameter by the rate at its first step, whatever the gradient's size")
    func scaleFree() {
        var adam = Adam(parameterCount: 3, options: steady(rate: 0.01))
        var parameters: [Float] = [0, 0, 0]
        adam.step(&parameters, loss: 0, gradient: [1e-3, -50, 1e4]) { _, _ in 0 }
        // ε = 1e-8 against 1e-3 is 1e-5 of a step.
        for (moved, expected) in zip(parameters, [-0.01, 0.01, -0.01] as [Float]) {
            #expect(abs(moved - expected) < 2e-7)
        }
    }
}

/// What any optimizer must do: a newcomer in the catalog is tested by existing.
@Suite("Every optimizer of the catalog")
struct OptimizerCatalogTests {
    private static let minimum: [Float] = [1, -2, 0.5, 3]

    /// An ill-conditioned bowl, and its slope.
    private static func bowl(_ parameters: [Float], _ gradient: inout [Float]) -> Double {
        var loss = 0.0
        gradient = parameters.indices.map { k in
            let stiffness = Float([1, 10, 0.2, 4][k])
            let miss = parameters[k] - minimum[k]
            loss += Double(stiffness * miss * miss) / 2
            return stiffness * miss
        }
        return loss
    }

    /// The first four parameters are a layer's weights.
    private static var options: OptimizerOptions {
        var options = OptimizerOptions()
        options.matrices = [WeightMatrix(offset: 0, inputs: 2, outputs: 2)]
        return options
    }

    private static func run(_ optimizer: inout any GradientOptimizer, _ parameters: inout [Float], steps: Int) throws
        -> Double
    {
        var gradient: [Float] = []
        for _ in 0..<steps {
            let loss = bowl(parameters, &gradient)
            _ = try optimizer.step(&parameters, loss: loss, gradient: gradient) { bowl($0, &$1) }
        }
        return bowl(parameters, &gradient)
    }

    @Test("finds the bottom of a bowl", arguments: gradientMethods)
    func minimizes(name: String) throws {
        let type = try #require(OptimizerCatalog.optimizer(named: name) as? any GradientOptimizer.Type)
        var options = Self.options
        options.schedule.peak = 0.1
        options.schedule.halfLife = 200
        var optimizer: any GradientOptimizer = type.init(parameterCount: 4, options: options)
        var parameters: [Float] = [0, 0, 0, 0]
        // The rate falls to 1e-4 in 2000 steps, and with it the wandering around the minimum.
        let loss = try Self.run(&optimizer, &parameters, steps: 2000)
        #expect(loss < 1e-6)
    }

    @Test("continues from its state bit for bit", arguments: gradientMethods)
    func resumes(name: String) throws {
        let type = try #require(OptimizerCatalog.optimizer(named: name) as? any GradientOptimizer.Type)
        var whole: any GradientOptimizer = type.init(parameterCount: 4, options: Self.options)
        var parameters: [Float] = [0, 0, 0, 0]
        _ = try Self.run(&whole, &parameters, steps: 6)

        var first: any GradientOptimizer = type.init(parameterCount: 4, options: Self.options)
        var resumedParameters: [Float] = [0, 0, 0, 0]
        _ = try Self.run(&first, &resumedParameters, steps: 3)
        var second: any GradientOptimizer = type.init(parameterCount: 4, options: Self.options)
        try second.restore(first.stored)
        #expect(second.stored == first.stored)
        _ = try Self.run(&second, &resumedParameters, steps: 3)
        #expect(parameters.map(\.bitPattern) == resumedParameters.map(\.bitPattern))
        #expect(whole.stored == second.stored)

        // The state matters: without it the second half is another one.
        var forgetful: any GradientOptimizer = type.init(parameterCount: 4, options: Self.options)
        var forgetfulParameters: [Float] = [0, 0, 0, 0]
        _ = try Self.run(&first, &forgetfulParameters, steps: 3)
        _ = try Self.run(&forgetful, &forgetfulParameters, steps: 3)
        #expect(forgetfulParameters != parameters)
    }

    @Test("has a state of vectors as long as the parameters", arguments: gradientMethods)
    func stateShape(name: String) throws {
        let type = try #require(OptimizerCatalog.optimizer(named: name) as? any GradientOptimizer.Type)
        for vector in type.init(parameterCount: 7, options: Self.options).stored.vectors.values {
            #expect(vector.count == 7)
        }
    }
}

@Suite("The learning rate")
struct LearningRateScheduleTests {
    @Test("rises in a line to the peak and then falls by half in every half-life")
    func values() {
        var schedule = LearningRateSchedule()
        schedule.peak = 2e-3
        schedule.warmUp = 10
        schedule.halfLife = 100
        // Powers of two and products: within a rounding or two.
        func close(_ a: Double, _ b: Double) -> Bool { abs(a - b) < 4 * b * .ulpOfOne }
        #expect(close(schedule.rate(iteration: 0), 2e-4))
        #expect(close(schedule.rate(iteration: 4), 1e-3 * exp2(-0.04)))
        #expect(close(schedule.rate(iteration: 9), 2e-3 * exp2(-0.09)))
        #expect(close(schedule.rate(iteration: 10), 2e-3 * exp2(-0.1)))
        #expect(close(schedule.rate(iteration: 100), 1e-3))
        #expect(close(schedule.rate(iteration: 300), 2.5e-4))
    }

    @Test("falls in half a cosine over the phase, and stays at a hundredth of the peak")
    func cosine() {
        var schedule = LearningRateSchedule()
        schedule.peak = 2e-3
        schedule.warmUp = 0
        schedule.decay = .cosine
        schedule.length = 600
        func close(_ a: Double, _ b: Double) -> Bool { abs(a - b) < 4 * b * .ulpOfOne }
        #expect(schedule.rate(iteration: 0) == 2e-3)
        // cos(π / 3) = 1/2: 0.01 + 0.99 × 3/4.
        #expect(close(schedule.rate(iteration: 200), 2e-3 * 0.7525))
        #expect(close(schedule.rate(iteration: 300), 2e-3 * 0.505))
        for iteration in [600, 601, 5000] { #expect(close(schedule.rate(iteration: iteration), 2e-5)) }
        schedule.warmUp = 100
        #expect(close(schedule.rate(iteration: 0), 2e-5))
        schedule.decay = .constant
        #expect(schedule.rate(iteration: 5000) == 2e-3)
    }

    @Test("is the peak from the first iteration to the last without warm-up and half-life")
    func constant() {
        let schedule = steady(rate: 5e-4).schedule
        for iteration in [0, 1, 99, 1_000_000] { #expect(schedule.rate(iteration: iteration) == 5e-4) }
    }

    @Test("has the published defaults")
    func defaults() {
        let schedule = LearningRateSchedule()
        #expect(schedule.rate(iteration: 0) == 1e-5)
        #expect(abs(schedule.rate(iteration: 3000) - 5e-4) < 1e-18)
    }
}
