import Compute
import Objective
import PointStore

/// The loss of a run around its weights: a sample of points that stands for all of them, and their residuals.
package struct LinearizedLoss {
    let objective: Objective
    let backend: any Backend
    let parameters: [Float]
    let sample: PointSample
    /// Mean square of each output of each program over the sample.
    package let meanSquares: [[Double]]
    /// Factors on the terms' weights; a prior's is the sum of the other terms.
    let factors: [Double]

    /// - Parameter balance: the run's factors on the terms' weights; nil: all one.
    package init(
        _ objective: Objective, _ backend: any Backend, parameters: [Float], sample: PointSample,
        balance: [Double]?, check: () throws -> Void
    ) throws {
        (self.objective, self.backend, self.parameters, self.sample) = (objective, backend, parameters, sample)
        meanSquares = try objective.sets.enumerated().map { number, set in
            var sums = objective.residualProblem.programs[number].program.outputs.map { _ in 0.0 }
            for piece in sample.pieces(of: set) {
                try check()
                let outputs = try objective.outputs(backend, parameters: parameters, chunk: piece)[number]
                for (output, values) in outputs.enumerated() {
                    sums[output] += values.reduce(0) { $0 + Double($1) * Double($1) }
                }
            }
            return sums.map { $0 / Double(max(sample.count(set), 1)) }
        }
        var factors = balance ?? objective.terms.map { _ in 1 }
        let loss = objective.loss(meanSquares, divisors: objective.sets.map { _ in 1 })
        for (number, term) in objective.terms.enumerated() where term.isRegularizer {
            factors[number] = objective.withoutRegularizers(loss.terms)
        }
        self.factors = factors
    }

    /// What the loss weights the mean square of each output of each program by.
    var weights: [[Double]] {
        objective.coefficients(
            divisors: objective.sets.map { _ in 1 }, weights: zip(objective.terms, factors).map { $0.weight * $1 })
    }

    /// Calls `body` with the Jacobian of piece after piece of every set, whose rows are those of the mean loss over the sample.
    ///
    /// - Parameter report: called with the points that are done.
    package func forEachPiece(
        report: (_ done: Int) throws -> Void, _ body: (_ program: Int, _ jacobian: any Jacobian) throws -> Void
    ) throws {
        var done = 0
        for (number, set) in objective.sets.enumerated() {
            for piece in sample.pieces(of: set) {
                try report(done)
                let (batches, coefficients) = objective.evaluation(of: piece, factors: factors)
                try body(
                    number, backend.jacobian(parameters: parameters, batches: batches, coefficients: coefficients))
                done += piece.count(set)
            }
        }
    }
}

/// Points that stand for all of a store: the first ones of every set, which the store holds in one random order.
package struct PointSample {
    private let columns: [PointSet: [[Float]]]

    /// Points of which the factors of a Jacobian are held at once.
    static let piece = 1024
    /// Rows of several times the number of combinations of weights that data determine, some hundreds.
    private static let limits: [PointSet: Int] = [
        .collocation: 8192, .velocity: 16384, .thickness: 16384, .surface: 16384, .front: 2048,
    ]

    package init(_ columns: [PointSet: [[Float]]]) { self.columns = columns }

    package init(_ store: StoreReader, sets: [PointSet]) throws {
        var columns: [PointSet: [[Float]]] = [:]
        for set in sets { columns[set] = try store.read(set, 0..<min(store.count(set), PointSample.limits[set] ?? 0)) }
        self.columns = columns
    }

    func count(_ set: PointSet) -> Int { columns[set]?.first?.count ?? 0 }
    var count: Int { columns.keys.reduce(0) { $0 + count($1) } }

    /// The points of a set in order; means are those over all of them.
    func pieces(of set: PointSet) -> [Chunk] {
        stride(from: 0, to: count(set), by: PointSample.piece).map { start in
            let end = min(start + PointSample.piece, count(set))
            var chunk = Chunk(columns: [set: columns[set]!.map { Array($0[start..<end]) }])
            chunk.divisors[set] = Double(count(set))
            return chunk
        }
    }
}
