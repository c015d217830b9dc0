import CKernels
import Glibc

/// Adam (Kingma & Ba 2015, algorithm 1), β₁ = 0.9, β₂ = 0.999, ε = 1e-8.
public struct Adam: Optimizer {
    public static let name = "adam"
    public static let requiresFixedBatch = false
    public static func stateBytes(parameterCount: Int, options: OptimizerOptions) -> Int { 2 * 4 * parameterCount }

    private var firstMoment: [Float]
    private var secondMoment: [Float]
    private var iteration = 0
    private let schedule: LearningRateSchedule

    public init(parameterCount: Int, options: OptimizerOptions) {
        firstMoment = [Float](repeating: 0, count: parameterCount)
        secondMoment = firstMoment
        schedule = options.schedule
    }

    /// The factors of the next update, which is counted as made: by `step`, or by a device that keeps the moments itself.
    public mutating func nextFactors() -> adam_factors {
        let beta1 = 0.9
        let beta2 = 0.999
        let step = Double(iteration + 1)
        // The corrections of both moments for their start at zero, taken into the rate and ε (the paper's section 2).
        let secondCorrection = (1 - pow(beta2, step)).squareRoot()
        // The complements are rounded by themselves: 1 − Float(0.999) is 5e-5 off.
        defer { iteration += 1 }
        return adam_factors(
            keep_first: Float(beta1), take_first: Float(1 - beta1), keep_second: Float(beta2),
            take_second: Float(1 - beta2),
            rate: Float(schedule.rate(iteration: iteration) * secondCorrection / (1 - pow(beta1, step))),
            epsilon: Float(1e-8 * secondCorrection))
    }

    @discardableResult
    public mutating func step(
        _ parameters: inout [Float], loss: Double, gradient: [Float],
        evaluate: (_ parameters: [Float], _ gradient: inout [Float]) throws -> Double
    ) -> StepOutcome {
        let factors = nextFactors()
        precondition(gradient.count == parameters.count && firstMoment.count == parameters.count)
        adam_step(&parameters, &firstMoment, &secondMoment, gradient, parameters.count, factors)
        return .moved
    }

    public var state: OptimizerState {
        get {
            OptimizerState(
                vectors: ["first_moment": firstMoment, "second_moment": secondMoment], counts: ["iteration": iteration])
        }
        set {
            firstMoment = newValue.vectors["first_moment"] ?? firstMoment
            secondMoment = newValue.vectors["second_moment"] ?? secondMoment
            iteration = newValue.counts["iteration"] ?? iteration
        }
    }
}
