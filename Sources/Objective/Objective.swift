import Compute
import Fields
import Networks
import Physics
import PointStore
import Pointwise

/// The value of a loss, in total and by terms.
public struct Loss: Sendable, Equatable {
    /// Σ weight × term.
    public var total: Double
    /// Mean squared residual of each term, without its weight.
    public var terms: [Double]

    public init(total: Double, terms: [Double]) {
        self.total = total
        self.terms = terms
    }
}

/// The loss of a run as a sum of terms, compiled to one program a set of points.
public struct Objective: Sendable {
    public let terms: [LossTerm]
    public let workload: Workload
    /// The sets in the order of the workload's programs.
    public let sets: [PointSet]
    /// Which term each output of each program belongs to.
    private let termOfOutput: [[Int]]

    public init(terms: [LossTerm], model: PhysicalModel, scaling: FieldScaling, networks: NetworkGroup) {
        precondition(networks.outputs == model.unknowns.count)
        self.terms = terms
        sets = PointSet.allCases.filter { set in terms.contains { $0.set == set } }
        var termOfOutput: [[Int]] = []
        var programs: [PointProgram] = []
        for set in sets {
            var owners: [Int] = []
            let program = Program.recording { recorder in
                let point = FieldPoint(
                    recorder: recorder, unknowns: model.unknowns, maps: scaling.maps,
                    columns: set.columns.map(\.rawValue))
                return terms.enumerated().filter { $0.element.set == set }.flatMap { number, term in
                    let residuals = term.residuals(point)
                    owners += residuals.map { _ in number }
                    return residuals
                }
            }
            termOfOutput.append(owners)
            programs.append(PointProgram(program))
        }
        self.termOfOutput = termOfOutput
        workload = Workload(networks: networks, inputSlopes: scaling.inputSlopes, programs: programs)
    }

    /// The inversion of a store: misfits, momentum balance, and the stress at the front where there is one.
    public static func inversion(
        of store: StoreDescription, model: PhysicalModel, networks: NetworkGroup, weights: LossWeights
    ) -> Objective {
        var terms: [LossTerm] = [
            .velocityMisfit(weight: weights.velocity),
            .thicknessMisfit(weight: weights.thickness),
            .equation(model.interior, name: "equation", at: .collocation, weight: weights.equation),
        ]
        if store.counts[.front] != nil {
            terms.append(.equation(model.front, name: "front", at: .front, weight: weights.front))
        }
        return Objective(terms: terms, model: model, scaling: FieldScaling(store), networks: networks)
    }

    /// What each point of a set adds to the loss, its square root: √(Σ weight r²) over the residuals of the set.
    public func residuals(
        _ backend: any Backend, parameters: [Float], of set: PointSet, at points: PointBatch
    ) throws -> [Float] {
        guard let number = sets.firstIndex(of: set) else { return [Float](repeating: 0, count: points.count) }
        let outputs = try backend.outputs(of: workload.programs[number], parameters: parameters, at: points)
        let weights = termOfOutput[number].map { Float(terms[$0].weight) }
        return (0..<points.count).map { point in
            zip(weights, outputs).reduce(0) { $0 + $1.0 * $1.1[point] * $1.1[point] }.squareRoot()
        }
    }

    /// The loss over a chunk, and its gradient.
    public func evaluate(
        _ backend: any Backend, parameters: [Float], chunk: Chunk, gradient: inout [Float]
    ) throws -> Loss {
        let batches = sets.map { set in PointBatch(columns: chunk.columns[set] ?? set.columns.map { _ in [] }) }
        let coefficients = zip(batches, termOfOutput).map { batch, owners in
            owners.map { terms[$0].weight / Double(max(batch.count, 1)) }
        }
        let sums = try backend.squaredResiduals(
            parameters: parameters, batches: batches, coefficients: coefficients, gradient: &gradient)
        var loss = Loss(total: 0, terms: [Double](repeating: 0, count: terms.count))
        for (program, owners) in termOfOutput.enumerated() {
            for (output, owner) in owners.enumerated() {
                loss.terms[owner] += sums[program][output] / Double(max(batches[program].count, 1))
            }
        }
        loss.total = zip(terms, loss.terms).reduce(0) { $0 + $1.0.weight * $1.1 }
        return loss
    }
}
