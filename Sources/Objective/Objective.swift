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
                    columns: set.columns.map(\.rawValue), numbers: scaling.numbers)
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

    /// The inversion of a store: misfits, the model's equations, the stress at the front where there is one, and the prior
    /// where the model has one.
    public static func inversion(
        of store: StoreDescription, model: PhysicalModel, networks: NetworkGroup, weights: LossWeights,
        constants: Constants
    ) -> Objective {
        var terms: [LossTerm] = [
            .velocityMisfit(of: model.observed, weight: weights.velocity),
            .thicknessMisfit(weight: weights.thickness),
            .equations(model.interior, name: "equation", at: .collocation, weight: weights.equation),
        ]
        if model.observed.contains(.surface) { terms.append(.surfaceMisfit(weight: weights.surface)) }
        if let front = model.front, store.counts[.front] != nil {
            terms.append(.equations([front], name: "front", at: .front, weight: weights.front))
        }
        if let prior = model.prior {
            terms.append(.equations([prior], name: "prior", at: .collocation, weight: weights.prior))
        }
        return Objective(terms: terms, model: model, scaling: FieldScaling(store, constants), networks: networks)
    }

    /// What the sums of squared residuals count in the loss, for the counts of points of each set.
    public func coefficients(counts: [Int]) -> [[Double]] {
        zip(counts, termOfOutput).map { count, owners in owners.map { terms[$0].weight / Double(max(count, 1)) } }
    }

    /// The loss over a chunk, and its gradient.
    public func evaluate(
        _ backend: any Backend, parameters: [Float], chunk: Chunk, gradient: inout [Float]
    ) throws -> Loss {
        let batches = sets.map { set in PointBatch(columns: chunk.columns[set] ?? set.columns.map { _ in [] }) }
        let sums = try backend.squaredResiduals(
            parameters: parameters, batches: batches, coefficients: coefficients(counts: batches.map(\.count)),
            gradient: &gradient)
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
