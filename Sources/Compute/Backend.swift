import Networks

/// What a device must do for training and prediction. The interface is coarse, one call per batch, so that a device is free
/// to fuse whole tiles or whole chunks behind it.
public protocol Backend: AnyObject {
    /// One line for the record of a run: kernels and libraries, on which the bits of results depend.
    var summary: String { get }
    /// How many threads or devices share the work; the bits of results do not depend on it.
    var parallelism: String { get }
    /// Threads of the host that the backend may use.
    var threads: Int { get }
    var residualProblem: ResidualProblem { get }

    /// S_pj = Σ over batch p of the square of output j of program p, and into `gradient` the derivative of
    /// Σ_pj c_pj S_pj with respect to the parameters. Empty batches are skipped.
    ///
    /// The same arguments give the same bits, for any number of threads. Throws `EvaluationStopped` where the device was asked to stop.
    func squaredResiduals(
        parameters: [Float], batches: [PointBatch], coefficients: [[Double]], gradient: inout [Float]
    ) throws -> ResidualSums

    /// The Jacobian of the weighted residuals, √c_pj · output j of program p, at a sample of points: its memory grows with them.
    func jacobian(parameters: [Float], batches: [PointBatch], coefficients: [[Double]]) throws -> any Jacobian

    /// Outputs of a program at points: one array per output.
    func outputs(of program: PointProgram, parameters: [Float], at points: PointBatch) throws -> [[Float]]
}

/// An evaluation that was asked to stop before its end; what it has computed is worth nothing.
public struct EvaluationStopped: Error {
    public init() {}
}
