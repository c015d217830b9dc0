/// A device that makes whole steps of Adam by itself, so that neither the gradient nor the parameters leave it between
/// steps, and nobody waits for one to end before the next is asked for.
///
/// `beginSteps`, then any number of `step`s, each on a chunk of its own and with results in their order, then `endSteps`. Other calls
/// of the backend are not allowed in between.
public protocol SteppingBackend: Backend {
    func beginSteps(_ state: MomentState) throws

    /// Asks for one step: gradient and sums at the parameters as they are, then the update. Returns once the chunk's memory may
    /// be used for another; the step may be made later.
    func step(batches: [PointBatch], coefficients: [[Double]], factors: MomentFactors) throws

    /// Results of steps that have not been handed out, in order: those that are known; waits for some where very many are not,
    /// and for all where `all`.
    func results(all: Bool) throws -> [StepResult]

    /// The state after all steps that were asked for.
    func endSteps() throws -> MomentState
}

/// Parameters and both of Adam's moments.
public struct MomentState: Sendable, Equatable {
    public var parameters: [Float]
    public var first: [Float]
    public var second: [Float]

    public init(parameters: [Float], first: [Float], second: [Float]) {
        self.parameters = parameters
        self.first = first
        self.second = second
    }
}

/// One update: m = keepFirst m + takeFirst g, v = keepSecond v + takeSecond g², parameters −= rate m / (√v + epsilon).
public struct MomentFactors: Sendable, Equatable {
    public let keepFirst: Float
    public let takeFirst: Float
    public let keepSecond: Float
    public let takeSecond: Float
    public let rate: Float
    public let epsilon: Float

    public init(
        keepFirst: Float, takeFirst: Float, keepSecond: Float, takeSecond: Float, rate: Float, epsilon: Float
    ) {
        self.keepFirst = keepFirst
        self.takeFirst = takeFirst
        self.keepSecond = keepSecond
        self.takeSecond = takeSecond
        self.rate = rate
        self.epsilon = epsilon
    }
}

/// What a step found before it moved the parameters.
public struct StepResult: Sendable, Equatable {
    public let sums: ResidualSums
    public let isGradientFinite: Bool

    public init(sums: ResidualSums, isGradientFinite: Bool) {
        self.sums = sums
        self.isGradientFinite = isGradientFinite
    }
}
