import Networks

/// A method that moves the parameters downhill. Its whole state can be read and put back, so that a resumed run repeats
/// the uninterrupted one bit for bit.
public protocol Optimizer: Sendable {
    /// What `--optimizer` calls it.
    static var name: String { get }

    /// Whether losses of different iterations are compared: then they must be over the same points.
    static var requiresFixedBatch: Bool { get }
    /// The most memory that the state takes [bytes].
    static func stateBytes(parameterCount: Int, options: OptimizerOptions) -> Int

    init(parameterCount: Int, options: OptimizerOptions)

    /// One iteration from parameters whose loss and gradient are known. `evaluate` gives them elsewhere, on the same points,
    /// for methods that search.
    mutating func step(
        _ parameters: inout [Float], loss: Double, gradient: [Float],
        evaluate: (_ parameters: [Float], _ gradient: inout [Float]) throws -> Double
    ) throws -> StepOutcome

    /// The next step has the loss and the gradient of other points than the last one: what followed from those is to go,
    /// curvature may stay.
    mutating func batchDidChange()

    /// Everything beside the parameters that the next step depends on.
    var state: OptimizerState { get set }
}

extension Optimizer {
    /// For methods that carry nothing from one gradient to the next, or only what is meant to be carried.
    public mutating func batchDidChange() {}
}

/// What a step did.
public enum StepOutcome: Sendable {
    case moved
    /// The last call of `evaluate` was at the parameters that are left: they need not be evaluated again.
    case movedToLastEvaluation
    /// No better parameters were found on these points; they are as they were.
    case noDescent
}

/// The state of an optimizer in the form of a checkpoint: vectors as long as the parameters, counts, and doubles of any length.
public struct OptimizerState: Sendable, Equatable {
    public var vectors: [String: [Float]]
    public var counts: [String: Int]
    public var doubles: [String: [Double]]

    public init(vectors: [String: [Float]] = [:], counts: [String: Int] = [:], doubles: [String: [Double]] = [:]) {
        self.vectors = vectors
        self.counts = counts
        self.doubles = doubles
    }
}

public struct OptimizerOptions: Sendable, Equatable {
    public var schedule = LearningRateSchedule()
    /// Which parameters are the weights of a layer, for methods that see more than a vector; in ascending order.
    public var matrices: [WeightMatrix] = []
    /// Threads that work on large states; the bits do not depend on it.
    public var threads = 1

    public init() {}
}
