import Compute
import ComputeCPU
import Fields
import Networks
import Physics
import TestSupport
import Testing

@Suite("Sums of JᵀJ")
struct NormalMatrixTests {
    /// JᵀJ of the whole batch, and its lower triangle from the reference's rows in double.
    private func check(
        _ problem: ResidualProblem, _ parameters: [Float], _ batches: [PointBatch], _ coefficients: [[Double]],
        bound: Double
    ) throws {
        let exact = ReferenceBackend(problem).jacobian(
            parameters: parameters.map(Double.init), batches: batches, coefficients: coefficients)
        let count = parameters.count
        var expected = NormalMatrix(order: count)
        for row in exact.rows { expected.add(rows: row) }
        for backend in [CPUBackend(problem, threads: 2), ReferenceBackend(problem)] as [any Backend] {
            var sum = NormalMatrix(order: count)
            // In two pieces: sums are added to what is there.
            for piece in 0..<2 {
                let part = batches.map { batch in
                    let half = batch.count / 2
                    let points = piece == 0 ? 0..<half : half..<batch.count
                    return PointBatch(columns: batch.columns.map { Array($0[points]) })
                }
                try backend.jacobian(parameters: parameters, batches: part, coefficients: coefficients)
                    .addProducts(to: &sum)
            }
            let lower = (0..<count).flatMap { i in (0...i).map { i * count + $0 } }
            #expect(
                relativeError(lower.map { sum.elements[$0] }, lower.map { expected.elements[$0] }) < bound,
                "\(backend.summary)")
        }
    }

    @Test(
        "agree with products of the reference's rows for every physics", arguments: EquationCatalog.models.map(\.name))
    func physics(_ name: String) throws {
        let inversion = try Inversion(physics: name, collocation: 70, others: 40)
        let (batches, coefficients) = inversion.objective.evaluation(of: inversion.chunk)
        try check(
            inversion.objective.residualProblem, inversion.parameters, batches, coefficients,
            bound: name == "flow-line" ? 1e-4 : 1e-5)
    }

    @Test(
        "agree with it for pairs of networks, subdomains and Fourier features",
        arguments: [
            SampleWorkload(hiddenLayers: 3, width: 12, deviation: 2),
            SampleWorkload(hiddenLayers: 1, width: 5, Decomposition(rows: 2, columns: 3)),
            SampleWorkload(hiddenLayers: 2, width: 20, split: true),
            SampleWorkload(hiddenLayers: 2, width: 9, split: true, Decomposition(rows: 1, columns: 2), deviation: 1),
        ])
    func shapes(_ sample: SampleWorkload) throws {
        try check(
            sample.residualProblem, sample.parameters, (0..<3).map { SampleWorkload.points(61, seed: UInt64($0)) },
            sample.coefficients, bound: 2e-5)
    }

    /// v JᵀJ v is the square of the residuals' derivative along v.
    @Test("agree with differences of the residuals in double")
    func differences() throws {
        let inversion = try Inversion(collocation: 9, others: 5)
        let (batches, coefficients) = inversion.objective.evaluation(of: inversion.chunk)
        let reference = ReferenceBackend(inversion.objective.residualProblem)
        let parameters = inversion.parameters.map(Double.init)
        let direction = parameters.indices.map { unitInterval(mixed(11, UInt64($0))) - 0.5 }
        func residuals(_ distance: Double) -> [Double] {
            reference.jacobian(
                parameters: zip(parameters, direction).map { $0 + distance * $1 }, batches: batches,
                coefficients: coefficients
            ).residuals
        }
        let step = 2e-4
        let around = [residuals(step), residuals(-step), residuals(2 * step), residuals(-2 * step)]
        let derivative = around[0].indices.map { row in
            (8 * (around[0][row] - around[1][row]) - (around[2][row] - around[3][row])) / (12 * step)
        }
        var sum = NormalMatrix(order: parameters.count)
        try reference.jacobian(parameters: inversion.parameters, batches: batches, coefficients: coefficients)
            .addProducts(to: &sum)
        var square = 0.0
        for i in parameters.indices {
            for j in 0...i {
                let product = direction[i] * direction[j] * sum.elements[i * parameters.count + j]
                square += i == j ? product : 2 * product
            }
        }
        #expect(abs(square / dot(derivative, derivative) - 1) < 1e-6)
    }

    @Test("have the same bits for any number of threads")
    func threads() throws {
        let inversion = try Inversion(hiddenLayers: 4, width: 32, collocation: 1400, others: 300)
        let (batches, coefficients) = inversion.objective.evaluation(of: inversion.chunk)
        let found = try [1, 2, 3, 7].map { threads in
            var sum = NormalMatrix(order: inversion.parameters.count)
            try CPUBackend(inversion.objective.residualProblem, threads: threads).jacobian(
                parameters: inversion.parameters, batches: batches, coefficients: coefficients
            ).addProducts(to: &sum)
            return sum.elements
        }
        for other in found.dropFirst() { #expect(other == found[0]) }
    }
}
