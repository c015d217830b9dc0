import Compute
import Fields
import PointStore

/// Rows that stand for the points of a chunk in a least-squares problem: some points of the equations, and the observations in patches
/// of neighbours (`ObservationPatches`), whose means have less noise.
public struct RowSample: Sendable {
    /// Where the Jacobian is taken: the sampled points of the equations, and the middle of each patch.
    let points: Chunk
    /// Where residuals are: the same points of the equations, and all cells of the patches, patch by patch.
    let cells: Chunk
    /// Cells of a patch of each set of observations.
    let patchSizes: [PointSet: Int]
}

extension Objective {
    /// The outputs of each set's program at the points of a chunk, (sets, outputs, points).
    public func outputs(_ backend: any Backend, parameters: [Float], chunk: Chunk) throws -> [[[Float]]] {
        let batches = evaluation(of: chunk).batches
        return try zip(residualProblem.programs, batches).map { program, batch in
            batch.count == 0
                ? program.program.outputs.map { _ in [] }
                : try backend.outputs(of: program, parameters: parameters, at: batch)
        }
    }

    /// The loss that they make.
    public func loss(of outputs: [[[Float]]], at chunk: Chunk, factors: [Double]?) -> Loss {
        let sums = outputs.map { $0.map { $0.reduce(0.0) { $0 + Double($1) * Double($1) } } }
        return loss(sums, divisors: divisors(of: chunk), factors: factors)
    }

    /// - Parameters:
    ///   - outputs: at the chunk's points, which tell how noisy its observations are.
    ///   - rows: about so many: half of them of the equations, a twentieth of the front, the others of the observations.
    public func rowSample(of chunk: Chunk, outputs: [[[Float]]], rows: Int, seed: UInt64) -> RowSample {
        let hasFront = sets.contains(.front) && chunk.count(.front) > 0
        let outputCount = { (number: Int) in residualProblem.programs[number].program.outputs.count }
        let observed = sets.indices.filter { sets[$0].isObserved }.reduce(0) { $0 + outputCount($1) }
        var points = Chunk(columns: [PointSet: [FloatColumn]]())
        var cells = points
        var patchSizes: [PointSet: Int] = [:]
        for (number, set) in sets.enumerated() {
            guard let columns = chunk.columns[set], chunk.count(set) > 0 else { continue }
            let seed = mixed(seed, UInt64(number))
            if set.isObserved {
                let share = rows * 45 / 100 / max(observed, 1)
                let patches = ObservationPatches(columns, outputs: outputs[number], count: max(1, share), seed: seed)
                patchSizes[set] = patches.size
                cells.columns[set] = patches.cells
                points.columns[set] = patches.centers
            } else {
                let share = set == .front ? rows / 20 : rows * (hasFront ? 50 : 55) / 100
                let count = min(chunk.count(set), max(1, share / outputCount(number)))
                let places = stratified(count, of: chunk.count(set), seed: seed)
                points.columns[set] = columns.map { column in FloatColumn(places.map { column[$0] }) }
                cells.columns[set] = points.columns[set]
            }
            // Means over the rows stand for those over all points.
            points.divisors[set] = chunk.divisor(set) * Double(points.count(set)) / Double(chunk.count(set))
        }
        return RowSample(points: points, cells: cells, patchSizes: patchSizes)
    }

    /// The Jacobian of the sample's rows.
    public func jacobian(
        _ backend: any Backend, parameters: [Float], of sample: RowSample, factors: [Double]?
    ) throws -> any Jacobian {
        let (batches, coefficients) = evaluation(of: sample.points, factors: factors)
        return try backend.jacobian(parameters: parameters, batches: batches, coefficients: coefficients)
    }

    /// The sample's residuals in the order of the Jacobian's rows.
    public func residuals(
        _ backend: any Backend, parameters: [Float], of sample: RowSample, factors: [Double]?
    ) throws -> [Float] {
        let outputs = try outputs(backend, parameters: parameters, chunk: sample.cells)
        let coefficients = evaluation(of: sample.points, factors: factors).coefficients
        var residuals: [Float] = []
        for (number, set) in sets.enumerated() {
            let roots = coefficients[number].map { Float($0.squareRoot()) }
            let size = sample.patchSizes[set] ?? 1
            for patch in 0..<(outputs[number].first?.count ?? 0) / size {
                for (root, output) in zip(roots, outputs[number]) {
                    let sum = output[patch * size..<(patch + 1) * size].reduce(0, +)
                    residuals.append(root * sum / Float(size))
                }
            }
        }
        return residuals
    }
}

/// So many places among others, ascending: one at random in each of as many equal parts.
func stratified(_ count: Int, of all: Int, seed: UInt64) -> [Int] {
    let count = min(count, all)
    let step = Double(all) / Double(count)
    return (0..<count).map { min(all - 1, Int((Double($0) + unitInterval(mixed(seed, UInt64($0)))) * step)) }
}
