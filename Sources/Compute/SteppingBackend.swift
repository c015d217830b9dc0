/// A device that makes whole steps of Adam by itself, so that neither the gradient nor the parameters leave it between
/// steps, and nobody waits for one step to end before the next is asked for.
///
/// `beginSteps`; then any number of steps, each an `accumulate` and an `update`, with `exchangeGradient` between the two where
/// several processes share a batch; then `endSteps`. Other calls of the backend are not allowed in between.
public protocol SteppingBackend: Backend {
    func beginSteps(_ state: MomentState) throws

    /// Asks for the gradient and the sums of squared residuals over a batch, at the parameters as they are then. Returns once the
    /// batch's memory may be used for another; the computation may come later.
    func accumulate(batches: [PointBatch], coefficients: [[Double]]) throws

    /// Lets the host change the accumulated gradient; waits for it. `change` gets one number per parameter.
    func exchangeGradient(_ change: (inout [Float]) throws -> Void) throws

    /// Asks for the update of the parameters by the accumulated gradient.
    func update(_ factors: MomentFactors) throws

    /// Results of steps that have not been returned yet, in order, as far as they are known.
    ///
    /// - Parameter all: waits for every step that was asked for; else only where too many are outstanding.
    func results(all: Bool) throws -> [StepResult]

    /// The state after all updates that were asked for. A gradient without an update is discarded.
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

/// What a step computed before it changed the parameters.
public struct StepResult: Sendable, Equatable {
    public let sums: ResidualSums
    public let isGradientFinite: Bool

    public init(sums: ResidualSums, isGradientFinite: Bool) {
        self.sums = sums
        self.isGradientFinite = isGradientFinite
    }
}
