import Glibc
import Networks

/// SOAP, Adam in the eigenbasis of Shampoo's preconditioner (Vyas et al. 2024, arXiv:2409.11321, algorithms 3 and 4; for
/// networks of equations Wang et al. 2025, arXiv:2502.00604). The gradient G of a layer's weights is turned into the
/// eigenvectors of the mean G Gᵀ and Gᵀ G, where its elements are nearly independent and Adam's scaling of each by itself
/// is a preconditioner of the whole matrix; the step is turned back. Biases are moved by Adam. All sums are in double.
public struct SOAP: Optimizer {
    public static let name = "soap"
    public static let requiresFixedBatch = false

    /// What stays of the moments and of G Gᵀ in a step. β₁ = 0.99 left twice the
    /// error of viscosity on the synthetic shelf after 4000 steps (4.3 % against 2.1 %; the bay 13.6 against 12.1).
    static let beta1 = 0.95
    static let beta2 = 0.999
    static let epsilon = 1e-8
    /// Steps between two refreshments of the eigenvectors.
    static let refreshEvery = 2

    public static func stateBytes(parameterCount: Int, options: OptimizerOptions) -> Int {
        let sides = options.matrices.reduce(0) { $0 + $1.inputs * $1.inputs + $1.outputs * $1.outputs }
        return 8 * (2 * parameterCount + 2 * sides)
    }

    /// In the parameters' own coordinates.
    private var firstMoment: [Double]
    /// A matrix's in its eigenbasis.
    private var secondMoment: [Double]
    private var bases: [(left: Eigenbasis, right: Eigenbasis)] = []
    private var iteration = 0
    private let matrices: [WeightMatrix]
    /// The parameters between the matrices.
    private let others: [Range<Int>]
    private let schedule: LearningRateSchedule

    public init(parameterCount: Int, options: OptimizerOptions) {
        firstMoment = [Double](repeating: 0, count: parameterCount)
        secondMoment = firstMoment
        matrices = options.matrices
        schedule = options.schedule
        let ends = [0] + matrices.map(\.range.upperBound)
        let starts = matrices.map(\.offset) + [parameterCount]
        others = zip(ends, starts).map { $0..<$1 }
    }

    @discardableResult
    public mutating func step(
        _ parameters: inout [Float], loss: Double, gradient: [Float],
        evaluate: (_ parameters: [Float], _ gradient: inout [Float]) throws -> Double
    ) -> StepOutcome {
        precondition(gradient.count == parameters.count && firstMoment.count == parameters.count)
        defer { iteration += 1 }
        // No move yet, as in the authors' program: in the eigenvectors of this gradient alone all of its elements but the
        // diagonal are rounding, which Adam would make as large as the others.
        guard iteration > 0 else {
            bases = matrices.map { matrix in
                let g = gradient[matrix.range].map(Double.init)
                return (
                    Eigenbasis(of: SOAP.leftProduct(g, matrix), order: matrix.inputs),
                    Eigenbasis(of: SOAP.rightProduct(g, matrix), order: matrix.outputs)
                )
            }
            return .moved
        }
        let step = Double(iteration)
        // As in Adam.swift.
        let secondCorrection = (1 - pow(SOAP.beta2, step)).squareRoot()
        let rate = schedule.rate(iteration: iteration) * secondCorrection / (1 - pow(SOAP.beta1, step))
        let epsilon = SOAP.epsilon * secondCorrection

        for k in gradient.indices {
            firstMoment[k] = SOAP.beta1 * firstMoment[k] + (1 - SOAP.beta1) * Double(gradient[k])
        }
        /// m / (√v + ε), after v has taken in the gradient's elements from `start` on.
        func scaled(_ m: [Double], _ g: [Double], from start: Int) -> [Double] {
            zip(m, g).enumerated().map { k, pair in
                let v = SOAP.beta2 * secondMoment[start + k] + (1 - SOAP.beta2) * pair.1 * pair.1
                secondMoment[start + k] = v
                return pair.0 / (v.squareRoot() + epsilon)
            }
        }
        func move(_ direction: [Double], from start: Int) {
            for (k, d) in direction.enumerated() {
                parameters[start + k] = Float(Double(parameters[start + k]) - rate * d)
            }
        }
        for range in others where !range.isEmpty {
            let g = gradient[range].map(Double.init)
            move(scaled(Array(firstMoment[range]), g, from: range.lowerBound), from: range.lowerBound)
        }
        for (number, matrix) in matrices.enumerated() {
            let g = gradient[matrix.range].map(Double.init)
            let m = turned(Array(firstMoment[matrix.range]), number)
            move(turnedBack(scaled(m, turned(g, number), from: matrix.offset), number), from: matrix.offset)
            bases[number].left.follow(SOAP.leftProduct(g, matrix), keep: SOAP.beta2)
            bases[number].right.follow(SOAP.rightProduct(g, matrix), keep: SOAP.beta2)
            if iteration % SOAP.refreshEvery == 0 {
                bases[number].left.refresh()
                bases[number].right.refresh()
            }
        }
        return .moved
    }

    /// Q_Lᵀ G Q_R.
    private func turned(_ g: [Double], _ number: Int) -> [Double] {
        let (rows, columns) = (matrices[number].inputs, matrices[number].outputs)
        let half = Dense.product(bases[number].left.vectors, g, rows: rows, inner: rows, columns: columns)
        return Dense.product(
            half, bases[number].right.vectors, transposing: .second, rows: rows, inner: columns, columns: columns)
    }

    /// Q_L G Q_Rᵀ.
    private func turnedBack(_ g: [Double], _ number: Int) -> [Double] {
        let (rows, columns) = (matrices[number].inputs, matrices[number].outputs)
        let half = Dense.product(
            bases[number].left.vectors, g, transposing: .first, rows: rows, inner: rows, columns: columns)
        return Dense.product(half, bases[number].right.vectors, rows: rows, inner: columns, columns: columns)
    }

    /// G Gᵀ.
    private static func leftProduct(_ g: [Double], _ matrix: WeightMatrix) -> [Double] {
        Dense.product(g, g, transposing: .second, rows: matrix.inputs, inner: matrix.outputs, columns: matrix.inputs)
    }

    /// Gᵀ G.
    private static func rightProduct(_ g: [Double], _ matrix: WeightMatrix) -> [Double] {
        Dense.product(g, g, transposing: .first, rows: matrix.outputs, inner: matrix.inputs, columns: matrix.outputs)
    }

    public var state: OptimizerState {
        get {
            var doubles = ["first_moment": firstMoment, "second_moment": secondMoment]
            if !bases.isEmpty {
                doubles["bases"] = bases.flatMap {
                    $0.left.statistic + $0.left.vectors + $0.right.statistic + $0.right.vectors
                }
            }
            return OptimizerState(counts: ["iteration": iteration], doubles: doubles)
        }
        set {
            firstMoment = newValue.doubles["first_moment"] ?? firstMoment
            secondMoment = newValue.doubles["second_moment"] ?? secondMoment
            iteration = newValue.counts["iteration"] ?? iteration
            guard var rest = newValue.doubles["bases"]?[...] else { return }
            func next(_ order: Int) -> [Double] {
                defer { rest = rest.dropFirst(order * order) }
                return Array(rest.prefix(order * order))
            }
            bases = matrices.map { matrix in
                (
                    Eigenbasis(statistic: next(matrix.inputs), vectors: next(matrix.inputs), order: matrix.inputs),
                    Eigenbasis(statistic: next(matrix.outputs), vectors: next(matrix.outputs), order: matrix.outputs)
                )
            }
        }
    }
}
