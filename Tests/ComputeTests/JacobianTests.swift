import Compute
import ComputeCPU
import Fields
import Networks
import Objective
import Physics
import PointStore
import TestSupport
import Testing

/// A batch of weighted residuals, and the reference's Jacobian of them.
private struct Linearized {
    let residualProblem: ResidualProblem
    let parameters: [Float]
    let batches: [PointBatch]
    let coefficients: [[Double]]

    init(_ inversion: Inversion) {
        residualProblem = inversion.objective.residualProblem
        parameters = inversion.parameters
        (batches, coefficients) = inversion.objective.evaluation(of: inversion.chunk)
    }

    init(_ sample: SampleWorkload, points: Int) {
        (residualProblem, parameters, coefficients) = (sample.residualProblem, sample.parameters, sample.coefficients)
        batches = (0..<3).map { SampleWorkload.points(points, seed: UInt64($0)) }
    }

    func exact(at parameters: [Double]) -> (residuals: [Double], rows: [[Double]]) {
        ReferenceBackend(residualProblem).jacobian(
            parameters: parameters, batches: batches, coefficients: coefficients)
    }

    /// Checks residuals, J v, Jᵀ w and J Jᵀ of a CPU backend against the reference's rows.
    func check(_ backend: CPUBackend, bound: Double, _ what: Comment? = nil) throws {
        let exact = exact(at: parameters.map(Double.init))
        let found = try backend.jacobian(parameters: parameters, batches: batches, coefficients: coefficients)
        #expect(found.rowCount == exact.rows.count && found.parameterCount == parameters.count, what)
        #expect(relativeError(found.residuals.map(Double.init), exact.residuals) < bound, what)
        let vector = parameters.indices.map { Float(unitInterval(mixed(3, UInt64($0))) - 0.5) }
        let along = exact.rows.map { row in zip(row, vector).reduce(0) { $0 + $1.0 * Double($1.1) } }
        #expect(relativeError(try found.product(vector).map(Double.init), along) < bound, what)
        let weights = exact.rows.indices.map { Float(unitInterval(mixed(4, UInt64($0))) - 0.5) }
        var sum = [Double](repeating: 0, count: parameters.count)
        for (row, weight) in zip(exact.rows, weights) {
            for (k, value) in row.enumerated() { sum[k] += Double(weight) * value }
        }
        #expect(relativeError(try found.transposedProduct(weights).map(Double.init), sum) < bound, what)
        #expect(relativeError(try found.rows(), exact.rows.flatMap { $0 }) < bound, what)
        let gram = try found.gram()
        let lower = exact.rows.indices.flatMap { i in (0...i).map { (i, $0) } }
        #expect(
            relativeError(
                lower.map { gram[$0.0 * exact.rows.count + $0.1] },
                lower.map { pair in zip(exact.rows[pair.0], exact.rows[pair.1]).reduce(0) { $0 + $1.0 * $1.1 } })
                < bound, what)
    }
}

@Suite("The Jacobian of the weighted residuals")
struct JacobianTests {
    @Test("of the reference agrees with differences in double", arguments: EquationCatalog.models.map(\.name))
    func differences(physics: String) throws {
        let problem = Linearized(try Inversion(physics: physics, collocation: 9, others: 5))
        let parameters = problem.parameters.map(Double.init)
        let exact = problem.exact(at: parameters)
        // As for the gradient (GradientTests), along a direction with all weights in it.
        let direction = parameters.indices.map { unitInterval(mixed(11, UInt64($0))) - 0.5 }
        let step = 2e-4
        func at(_ steps: Double) -> [Double] {
            problem.exact(at: zip(parameters, direction).map { $0 + steps * step * $1 }).residuals
        }
        let around = [at(1), at(-1), at(2), at(-2)]
        let differences = exact.rows.indices.map { row in
            (8 * (around[0][row] - around[1][row]) - (around[2][row] - around[3][row])) / (12 * step)
        }
        let products = exact.rows.map { zip($0, direction).reduce(0) { $0 + $1.0 * $1.1 } }
        #expect(relativeError(products, differences) < 1e-6)
    }

    @Test("has r · r for the loss, and Jᵀ r for half of its gradient")
    func loss() throws {
        let inversion = try Inversion(collocation: 12, others: 7)
        let exact = Linearized(inversion).exact(at: inversion.parameters.map(Double.init))
        let parameters = inversion.parameters.map(Double.init)
        var half = [Double](repeating: 0, count: parameters.count)
        for (row, residual) in zip(exact.rows, exact.residuals) {
            for (k, value) in row.enumerated() { half[k] += residual * value }
        }
        #expect(relativeError(half.map { 2 * $0 }, inversion.gradient(parameters)) < 1e-12)
        let loss = exact.residuals.reduce(0) { $0 + $1 * $1 }
        #expect(abs(loss - inversion.loss(parameters)) < 1e-12 * loss)
    }

    @Test("of the CPU agrees with the reference for every physics", arguments: EquationCatalog.models.map(\.name))
    func physics(_ name: String) throws {
        let inversion = try Inversion(physics: name, collocation: 70, others: 40)
        try Linearized(inversion).check(
            CPUBackend(inversion.objective.residualProblem, threads: 2), bound: name == "flow-line" ? 1e-4 : 1e-5)
    }

    @Test(
        "of the CPU agrees with the reference for pairs of networks, subdomains and Fourier features",
        arguments: [
            SampleWorkload(hiddenLayers: 3, width: 12, deviation: 2),
            SampleWorkload(hiddenLayers: 1, width: 5, Decomposition(rows: 2, columns: 3)),
            SampleWorkload(hiddenLayers: 2, width: 33, split: true),
            SampleWorkload(hiddenLayers: 2, width: 9, split: true, Decomposition(rows: 1, columns: 2), deviation: 1),
        ])
    func shapes(_ sample: SampleWorkload) throws {
        for kernels in TileKernels.available {
            try Linearized(sample, points: 61).check(
                CPUBackend(sample.residualProblem, threads: 2, kernels: kernels), bound: 2e-5, "\(kernels.name)")
        }
    }

    @Test("has the same bits for any number of threads")
    func threads() throws {
        let inversion = try Inversion(hiddenLayers: 4, width: 32, collocation: 700, others: 300)
        let problem = Linearized(inversion)
        let found = try [1, 2, 3, 7].map { threads in
            let backend = CPUBackend(problem.residualProblem, threads: threads)
            let jacobian = try backend.jacobian(
                parameters: problem.parameters, batches: problem.batches, coefficients: problem.coefficients)
            return (
                jacobian.residuals, try jacobian.product(problem.parameters),
                try jacobian.transposedProduct(jacobian.residuals), try jacobian.gram()
            )
        }
        for other in found.dropFirst() {
            #expect(other.0 == found[0].0 && other.1 == found[0].1 && other.2 == found[0].2 && other.3 == found[0].3)
        }
    }
}
