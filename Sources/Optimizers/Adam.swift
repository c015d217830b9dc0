import CKernels
import Glibc

/// Adam (Kingma & Ba 2015, algorithm 1), β₁ = 0.9, β₂ = 0.999, ε = 1e-8.
public struct Adam: GradientOptimizer {
    public static let name = "adam"
    public static let requiresFixedBatch = false

    public var state: AdamState
    private let schedule: LearningRateSchedule

    public init(parameterCount: Int, options: OptimizerOptions) {
        state = AdamState(parameterCount: parameterCount)
        schedule = options.schedule
    }

    /// The factors of the next update, which is counted as made: by `step`, or by a device that keeps the moments itself.
    public mutating func nextFactors() -> adam_factors {
        let beta1 = 0.9
        let beta2 = 0.999
        let step = Double(state.iteration + 1)
        // The corrections of both moments for their start at zero, taken into the rate and ε (the paper's section 2).
        let secondCorrection = (1 - pow(beta2, step)).squareRoot()
        // The complements are rounded by themselves: 1 − Float(0.999) is 5e-5 off.
        defer { state.iteration += 1 }
        return adam_factors(
            keep_first: Float(beta1), take_first: Float(1 - beta1), keep_second: Float(beta2),
            take_second: Float(1 - beta2),
            rate: Float(schedule.rate(iteration: state.iteration) * secondCorrection / (1 - pow(beta1, step))),
            epsilon: Float(1e-8 * secondCorrection))
    }

    @discardableResult
    public mutating func step(
        _ parameters: inout [Float], loss: Double, gradient: [Float],
        evaluate: (_ parameters: [Float], _ gradient: inout [Float]) throws -> Double
    ) -> StepOutcome {
        let factors = nextFactors()
        precondition(gradient.count == parameters.count && state.firstMoment.count == parameters.count)
        adam_step(&parameters, &state.firstMoment, &state.secondMoment, gradient, parameters.count, factors)
        return .moved
    }
}

/// Adam's moments, and the updates that were made.
public struct AdamState: OptimizerState {
    /// Running means of the gradient and of its square, one element a parameter.
    public var firstMoment: [Float]
    public var secondMoment: [Float]
    public var iteration = 0

    public init(parameterCount: Int) {
        firstMoment = [Float](repeating: 0, count: parameterCount)
        secondMoment = firstMoment
    }

    public static func maxSize(parameterCount: Int, options: OptimizerOptions) -> StateSize {
        StateSize(bytes: 2 * 4 * parameterCount, arrays: 2)
    }

    public var stored: StoredArrays {
        StoredArrays(
            vectors: ["first_moment": firstMoment, "second_moment": secondMoment], counts: ["iteration": iteration])
    }

    public mutating func restore(_ stored: StoredArrays) throws {
        let first = try stored.vector("first_moment", length: firstMoment.count)
        let second = try stored.vector("second_moment", length: secondMoment.count)
        (iteration, firstMoment, secondMoment) = (try stored.count("iteration"), first, second)
    }
}
