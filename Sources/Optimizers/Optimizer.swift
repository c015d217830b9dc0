import Networks

/// A method that moves the parameters downhill. Its whole state can be read and put back, so that a resumed run repeats
/// the uninterrupted one bit for bit.
public protocol Optimizer: Sendable {
    associatedtype State: OptimizerState

    /// What `--optimizer` calls it.
    static var name: String { get }

    /// Whether losses of different iterations are compared: then they must be over the same points.
    static var requiresFixedBatch: Bool { get }

    /// The most parameters that it is made for.
    static var maxParameterCount: Int { get }

    init(parameterCount: Int, options: OptimizerOptions)

    /// The next step has the loss and the gradient of other points than the last one: what followed from those is dropped,
    /// curvature may stay.
    mutating func batchDidChange()

    /// Everything besides the parameters that the next step depends on.
    var state: State { get set }
}

/// A method that does with losses and gradients.
public protocol GradientOptimizer: Optimizer {
    /// One iteration from parameters whose loss and gradient are known. `evaluate` gives them elsewhere, on the same points,
    /// for methods that search; where it throws, the same step can be made again with the same bits.
    mutating func step(
        _ parameters: inout [Float], loss: Double, gradient: [Float],
        evaluate: (_ parameters: [Float], _ gradient: inout [Float]) throws -> Double
    ) throws -> StepOutcome
}

extension Optimizer {
    public static var maxParameterCount: Int { .max }

    /// For methods that carry nothing from one gradient to the next, or only what is meant to be carried.
    public mutating func batchDidChange() {}

    public static func maxStateSize(parameterCount: Int, options: OptimizerOptions) -> StateSize {
        State.maxSize(parameterCount: parameterCount, options: options)
    }

    /// The state as a checkpoint holds it.
    public var stored: StoredArrays { state.stored }

    /// Puts back a stored state.
    ///
    /// - Throws: `StateMismatch` for one of another method or of another number of parameters; the state stays as it was.
    public mutating func restore(_ stored: StoredArrays) throws { try state.restore(stored) }
}

/// What a step did.
public enum StepOutcome: Sendable {
    case moved
    /// The last call of `evaluate` was at the parameters that are left: they need not be evaluated again.
    case movedToLastEvaluation
    /// No better parameters were found on these points; they are as they were.
    case noDescent
}

public struct OptimizerOptions: Sendable, Equatable {
    public var schedule = LearningRateSchedule()
    /// Which parameters are the weights of a layer, for methods that see more than a vector; in ascending order.
    public var matrices: [WeightMatrix] = []
    /// Threads that work on large states; the bits do not depend on it.
    public var threads = 1

    public init() {}
}
