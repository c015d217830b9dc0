import Compute

/// A nonlinear least-squares problem of some rows that stands for the loss of an iteration's points, for methods that ask for more than a
/// gradient.
public protocol SampledResiduals {
    /// The rows' residuals, whose sum of squares is the loss of the sample.
    func residuals(_ parameters: [Float]) throws -> [Float]

    /// Their Jacobian.
    func jacobian(_ parameters: [Float]) throws -> any Jacobian
}

/// A method that moves the parameters by the residuals of a sample of rows and their Jacobian.
public protocol SamplingOptimizer: Optimizer {
    /// Rows that it wants of an iteration's points.
    static var rows: Int { get }

    /// Steps on one sample. Where it throws, the same steps can be made again with the same bits.
    mutating func step(_ parameters: inout [Float], on sample: any SampledResiduals) throws -> StepOutcome
}
