import Compute
import Objective
import PointStore
import Runs

/// How much the loss's rows scatter, in the variance 1/β that the loss assumes of all of them.
///
/// Observed rows, whose noise is everywhere the same: for each output
///
///     ρ = β (w / N) ⟨r²⟩ c
///
/// with the weight w of the mean over N points, and c cells that share their noise. For noise as the weights have it ρ is 1.
///
/// Rows of equations and of the front: ρ = β (w / N) r², each by itself (White 1980, Econometrica 48, 817). They scatter by orders of
/// magnitude, most at corners, and a mean would take all of the shelf to be as uncertain as its corners.
package struct RowScatter {
    /// Observed numbers among the rows, and their loss.
    package let observed: (count: Double, loss: Double)
    /// c of every set.
    let correlatedCells: [Double]
    /// (w / N) ⟨r²⟩ c.
    private let variances: [[Double]]
    /// Of each program, how many points of the loss's sample stand for one of the batch; nil where rows scatter alike.
    private let shares: [Double?]

    package init(_ loss: LinearizedLoss, _ batch: TrainingBatch, _ correlation: NoiseCorrelation) throws {
        let sets = loss.objective.sets
        let weights = loss.weights
        var (count, sum) = (0.0, 0.0)
        for (number, set) in sets.enumerated() where set.isObserved {
            count += Double(batch.count(set) * weights[number].count)
            sum += zip(weights[number], loss.meanSquares[number]).reduce(0) { $0 + $1.0 * $1.1 }
        }
        observed = (count, sum)
        let cells = try sets.enumerated().map { number, set in
            set.isObserved ? try RowScatter.correlatedCells(number, set, loss, batch, correlation) : 1
        }
        correlatedCells = cells
        shares = sets.map { $0.isObserved ? nil : Double(loss.sample.count($0)) / Double(max(batch.count($0), 1)) }
        variances = sets.indices.map { number in
            zip(weights[number], loss.meanSquares[number]).map {
                $0 * $1 * cells[number] / Double(max(batch.count(sets[number]), 1))
            }
        }
    }

    /// √ρ of every row of a Jacobian of the program.
    package func deviations(of program: Int, _ jacobian: any Jacobian, beta: Double) -> [Double] {
        if let share = shares[program] {
            return jacobian.residuals.map { (beta * share).squareRoot() * Double(abs($0)) }
        }
        let outputs = variances[program].map { (beta * $0).squareRoot() }
        return (0..<jacobian.rowCount).map { outputs[$0 % outputs.count] }
    }

    /// Of the batch's cells, which are a share of all.
    private static func correlatedCells(
        _ number: Int, _ set: PointSet, _ loss: LinearizedLoss, _ batch: TrainingBatch,
        _ correlation: NoiseCorrelation
    ) throws -> Double {
        guard let name = batch.store.description.gridOfSet[set],
            let grid = batch.store.description.grids.first(where: { $0.name == name })?.grid
        else { return 1 }
        let share = Double(batch.count(set)) / Double(max(batch.store.count(set), 1))
        let all: Double
        switch correlation {
        case .length(let length):
            all = CorrelatedCells.count(length: length, dx: grid.spacingX, dy: grid.spacingY)
        case .measured:
            // Enough to see a correlation, and of any size.
            let count = min(batch.store.count(set), maxCells)
            let cells = Array(try batch.store.cells(of: set).prefix(count))
            let columns = try batch.store.read(set, 0..<count)
            let outputs = try loss.objective.outputs(
                loss.backend, parameters: loss.parameters, chunk: Chunk(columns: [set: columns]))[number]
            all = outputs.map { CorrelatedCells.count(residuals: $0, cells: cells, columns: grid.columns) }.max() ?? 1
        }
        return 1 + share * (max(all, 1) - 1)
    }

    private static let maxCells = 1 << 18
}
