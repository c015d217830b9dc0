import Compute
import ComputeCPU

/// A product of the Jacobian of a loss's rows, made in double: what Levenberg and Marquardt's method and the covariance wait for.
public struct JacobianRow: Codable, Sendable, Equatable {
    public enum Product: String, Codable, Sendable {
        /// J Jᵀ, for a step of the method.
        case gram = "J Jᵀ"
        /// JᵀJ, for the covariance.
        case normal = "JᵀJ"
    }

    public var product: Product
    /// Of J.
    public var rows: Int
    public var weights: Int
    public var backend: String
    public var threads: Int?
    /// Median time [s].
    public var seconds: Double
    /// Rate of the products relative to half of OpenBLAS's in single precision, over the whole time: also that of making J from its
    /// factors. Nil where OpenBLAS is no yardstick.
    public var share: Double?
}

extension BenchmarkTask {
    /// Weights of which J Jᵀ and JᵀJ are made by default.
    public static let jacobianNetwork = "4x32+4x32"
    /// Points with five rows each: about the sample of a step.
    public static let jacobianPoints = 200

    func timeJacobian(_ makeBackend: BackendMaker) throws -> [JacobianRow] {
        let problem = try stepProblem
        let device = try makeBackend(backend, problem.residualProblem, threads)
        let parameters = problem.residualProblem.networks.initialParameters(seed: 0)
        let jacobian = try device.jacobian(
            parameters: parameters, batches: problem.batches(points: points),
            coefficients: problem.coefficients(points: points))
        let (rows, weights) = (Double(jacobian.rowCount), Double(parameters.count))
        var normal = NormalMatrix(order: parameters.count)
        return try [
            // Of symmetric matrices one triangle.
            timed(.gram, jacobian, operations: rows * rows * weights) { _ = try jacobian.gram() },
            timed(.normal, jacobian, operations: rows * weights * weights) { try jacobian.addProducts(to: &normal) },
        ]
    }

    private func timed(
        _ product: JacobianRow.Product, _ jacobian: any Jacobian, operations: Double, _ work: () throws -> Void
    ) throws -> JacobianRow {
        try work()
        let estimate = try ContinuousClock().measure(work) / .seconds(1)
        let measured = try Alternation(
            seconds: seconds, yardstick: threads.map { SGEMMRate(threads: $0) }, estimate: estimate,
            operations: operations, step: work)
        return JacobianRow(
            product: product, rows: jacobian.rowCount, weights: jacobian.parameterCount, backend: backend,
            threads: threads, seconds: measured.steps.median ?? 0, share: measured.shares.median.map { 2 * $0 })
    }
}
