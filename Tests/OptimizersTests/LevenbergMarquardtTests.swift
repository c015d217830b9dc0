import Compute
import Foundation
import Testing

import Optimizers

/// Rows of residuals with a Jacobian in full.
private struct DenseRows: SampledResiduals, Sendable {
    let values: @Sendable ([Double]) -> [Double]
    let derivatives: @Sendable ([Double]) -> [[Double]]

    func residuals(_ parameters: [Float]) -> [Float] { values(parameters.map(Double.init)).map(Float.init) }

    func jacobian(_ parameters: [Float]) -> any Jacobian {
        DenseJacobian(residuals: residuals(parameters), matrix: derivatives(parameters.map(Double.init)))
    }
}

private struct DenseJacobian: Jacobian {
    let residuals: [Float]
    let matrix: [[Double]]
    var rowCount: Int { matrix.count }
    var parameterCount: Int { matrix[0].count }

    func product(_ vector: [Float]) -> [Float] {
        matrix.map { row in Float(zip(row, vector).reduce(0) { $0 + $1.0 * Double($1.1) }) }
    }

    func transposedProduct(_ weights: [Float]) -> [Float] {
        (0..<parameterCount).map { k in Float(zip(matrix, weights).reduce(0) { $0 + $1.0[k] * Double($1.1) }) }
    }

    func rows() -> [Double] { matrix.flatMap { $0 } }

    func gram() -> [Double] {
        matrix.flatMap { a in matrix.map { b in zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } } }
    }
}

@Suite("Levenberg and Marquardt's method on samples of rows")
struct LevenbergMarquardtTests {
    /// Rosenbrock's valley as residuals: 10 (y - x²) and 1 - x of each pair.
    private static let rosenbrock = DenseRows { p in
        var rows: [Double] = []
        for k in stride(from: 0, to: p.count, by: 2) { rows += [10 * (p[k + 1] - p[k] * p[k]), 1 - p[k]] }
        return rows
    } derivatives: { p in
        var rows: [[Double]] = []
        for k in stride(from: 0, to: p.count, by: 2) {
            let zero = [Double](repeating: 0, count: p.count)
            var (first, second) = (zero, zero)
            (first[k], first[k + 1], second[k]) = (-20 * p[k], 10, -1)
            rows += [first, second]
        }
        return rows
    }

    @Test("reaches the end of Rosenbrock's valley in few steps")
    func valley() throws {
        var parameters: [Float] = [-1.2, 1, -1.2, 1]
        var optimizer = LevenbergMarquardt(parameterCount: 4, options: OptimizerOptions())
        for _ in 0..<8 { _ = try optimizer.step(&parameters, on: Self.rosenbrock) }
        #expect(parameters.allSatisfy { abs($0 - 1) < 1e-4 }, "\(parameters)")
    }

    @Test("goes the shortest way where rows leave the step free")
    func shortest() throws {
        let row = DenseRows {
            [3 * $0[0] + 4 * $0[1] - 25]
        } derivatives: { _ in
            [[3, 4, 0]]
        }
        var parameters: [Float] = [0, 0, 7]
        var optimizer = LevenbergMarquardt(parameterCount: 3, options: OptimizerOptions())
        for _ in 0..<3 { _ = try optimizer.step(&parameters, on: row) }
        for (found, expected) in zip(parameters, [3, 4, 7] as [Float]) { #expect(abs(found - expected) < 1e-4) }
    }

    @Test("stays where no step lowers the residuals, with any number of threads")
    func noDescent() throws {
        // The derivative has the wrong sign.
        let wrong = DenseRows {
            [$0[0] - 1]
        } derivatives: { _ in
            [[-1]]
        }
        for threads in [1, 3] {
            var options = OptimizerOptions()
            options.threads = threads
            var optimizer = LevenbergMarquardt(parameterCount: 1, options: options)
            var parameters: [Float] = [0]
            for _ in 0..<30 { _ = try optimizer.step(&parameters, on: wrong) }
            #expect(parameters == [0])
        }
    }

    @Test("continues from its state bit for bit")
    func resumes() throws {
        var parameters: [Float] = [-1.2, 1]
        var whole = LevenbergMarquardt(parameterCount: 2, options: OptimizerOptions())
        for _ in 0..<2 { _ = try whole.step(&parameters, on: Self.rosenbrock) }
        var first = LevenbergMarquardt(parameterCount: 2, options: OptimizerOptions())
        var others: [Float] = [-1.2, 1]
        _ = try first.step(&others, on: Self.rosenbrock)
        var second = LevenbergMarquardt(parameterCount: 2, options: OptimizerOptions())
        try second.restore(first.stored)
        _ = try second.step(&others, on: Self.rosenbrock)
        #expect(others == parameters && second.stored == whole.stored)
        #expect(second.stored.byteCount == LevenbergMarquardt.maxStateSize(parameterCount: 2, options: .init()).bytes)
    }
}
