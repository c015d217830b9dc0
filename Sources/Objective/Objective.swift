import Compute
import Fields
import Networks
import Physics
import PointStore
import Pointwise

/// The value of a loss, in total and by terms.
public struct Loss: Sendable, Equatable {
    /// Σ weight × term, a prior's weight times its factor.
    public var total: Double
    /// Mean squared residual of each term, without its weight.
    public var terms: [Double]
    /// The same in the square of each term's unit.
    public var meanSquares: [Double]

    /// Zero, for the given number of terms.
    public init(termCount: Int) {
        total = 0
        terms = [Double](repeating: 0, count: termCount)
        meanSquares = terms
    }

    /// Adds a multiple of another loss.
    public mutating func add(_ other: Loss, times part: Double) {
        total += other.total * part
        for term in terms.indices {
            terms[term] += other.terms[term] * part
            meanSquares[term] += other.meanSquares[term] * part
        }
    }
}

/// The loss of a run as a sum of terms, compiled to one program for each set of points.
public struct Objective: Sendable {
    public let terms: [LossTerm]
    public let residualProblem: ResidualProblem
    /// The sets in the order of the residual problem's programs.
    public let sets: [PointSet]
    /// The term that each output of each program belongs to, and the value of an output of 1 in the term's unit.
    private let termOfOutput: [[(term: Int, scale: Double)]]

    public init(terms: [LossTerm], model: PhysicalModel, scaling: FieldScaling, networks: NetworkGroup) {
        precondition(networks.outputs == model.unknowns.count)
        self.terms = terms
        sets = PointSet.allCases.filter { set in terms.contains { $0.set == set } }
        var termOfOutput: [[(term: Int, scale: Double)]] = []
        var programs: [PointProgram] = []
        for set in sets {
            var owners: [(term: Int, scale: Double)] = []
            let program = Program.recording { tracer in
                let point = FieldPoint(
                    tracer: tracer, unknowns: model.unknowns, maps: scaling.maps,
                    columns: set.columns.map(\.rawValue), numbers: scaling.numbers)
                return terms.enumerated().filter { $0.element.set == set }.flatMap { number, term in
                    let residuals = term.residuals(point)
                    owners += residuals.indices.map { (number, term.scales.count > $0 ? term.scales[$0] : 1) }
                    return residuals
                }
            }
            termOfOutput.append(owners)
            programs.append(PointProgram(program))
        }
        self.termOfOutput = termOfOutput
        residualProblem = ResidualProblem(networks: networks, inputSlopes: scaling.inputSlopes, programs: programs)
    }

    /// The inversion of a store: misfits, the model's equations, the stress at the front where there is one, and the prior
    /// where the model has one.
    public static func inversion(
        of store: StoreDescription, model: PhysicalModel, networks: NetworkGroup, weights: LossWeights,
        constants: Constants
    ) -> Objective {
        var terms: [LossTerm] = [
            .velocityMisfit(
                of: model.observed, weight: weights.velocity,
                scales: [store.normalization(.u).scale, store.normalization(.v).scale]),
            .thicknessMisfit(weight: weights.thickness, scale: store.normalization(.h).scale),
            .equations(model.interior, name: "equation", at: .collocation, weight: weights.equation),
        ]
        if model.observed.contains(.surface) {
            terms.append(.surfaceMisfit(weight: weights.surface, scale: store.normalization(.s).scale))
        }
        if let front = model.front, store.counts[.front] != nil {
            terms.append(.equations([front], name: "front", at: .front, weight: weights.front))
        }
        if let prior = model.prior, weights.prior > 0 {
            terms.append(.prior(prior, weight: weights.prior))
        }
        return Objective(terms: terms, model: model, scaling: FieldScaling(store, constants), networks: networks)
    }

    /// Coefficients of the sums of squared residuals in the loss.
    ///
    /// - Parameters:
    ///   - divisors: of the means over each set, usually the counts of its points.
    ///   - weights: of the terms; nil: their own.
    public func coefficients(divisors: [Double], weights: [Double]? = nil) -> [[Double]] {
        let weights = weights ?? terms.map(\.weight)
        return zip(divisors, termOfOutput).map { divisor, owners in
            owners.map { weights[$0.term] / max(divisor, 1) }
        }
    }

    /// The square root of each point's contribution to the loss: √(Σ weight r²) over the residuals of its set.
    public func residuals(
        _ backend: any Backend, parameters: [Float], of set: PointSet, at points: PointBatch
    ) throws -> [Float] {
        guard let number = sets.firstIndex(of: set) else { return [Float](repeating: 0, count: points.count) }
        let outputs = try backend.outputs(of: residualProblem.programs[number], parameters: parameters, at: points)
        return residualSizes(outputs, of: number)
    }

    /// √(Σ weight r²) at each point from the outputs of a program.
    func residualSizes(_ outputs: [[Float]], of number: Int) -> [Float] {
        let weights = termOfOutput[number].map { terms[$0.term].isRegularizer ? 0 : Float(terms[$0.term].weight) }
        return (outputs.first ?? []).indices.map { point in
            zip(weights, outputs).reduce(0) { $0 + $1.0 * $1.1[point] * $1.1[point] }.squareRoot()
        }
    }

    /// The loss over a chunk, and its gradient.
    ///
    /// - Parameter factors: on the terms' weights; nil: all one.
    public func evaluate(
        _ backend: any Backend, parameters: [Float], chunk: Chunk, factors: [Double]? = nil, gradient: inout [Float]
    ) throws -> Loss {
        let (batches, coefficients) = evaluation(of: chunk, factors: factors)
        let sums = try backend.squaredResiduals(
            parameters: parameters, batches: batches, coefficients: coefficients, gradient: &gradient)
        return loss(sums, divisors: divisors(of: chunk), factors: factors)
    }

    /// The points of each set of a chunk, and the coefficients that a backend weights their squared residuals by.
    ///
    /// - Parameter factors: on the terms' weights; nil: all one.
    public func evaluation(of chunk: Chunk, factors: [Double]? = nil) -> (
        batches: [PointBatch], coefficients: [[Double]]
    ) {
        let batches = sets.map { set in
            PointBatch(columns: chunk.columns[set] ?? set.columns.map { _ in FloatColumn([]) })
        }
        return (
            batches,
            coefficients(divisors: divisors(of: chunk), weights: terms.indices.map { weight($0, factors) })
        )
    }

    /// Divisors of the means over each set of a chunk, in the order of the residual problem's programs.
    public func divisors(of chunk: Chunk) -> [Double] { sets.map(chunk.divisor) }

    /// The loss from sums of squared residuals.
    public func loss(_ sums: ResidualSums, divisors: [Double], factors: [Double]? = nil) -> Loss {
        var loss = Loss(termCount: terms.count)
        for (program, owners) in termOfOutput.enumerated() {
            for (output, owner) in owners.enumerated() {
                let mean = sums[program][output] / max(divisors[program], 1)
                loss.terms[owner.term] += mean
                loss.meanSquares[owner.term] += owner.scale * owner.scale * mean
            }
        }
        loss.total = terms.indices.reduce(0) { $0 + weight($1, factors) * loss.terms[$1] }
        return loss
    }

    /// The loss of these means without factors, comparable between the iterations of a run: R + w R P with a prior P.
    public func total(of means: [Double]) -> Double {
        let rest = withoutRegularizers(means)
        return means.indices.filter { terms[$0].isRegularizer }.reduce(rest) {
            $0 + terms[$1].weight * rest * means[$1]
        }
    }

    public var hasRegularizer: Bool { terms.contains(where: \.isRegularizer) }

    /// R: Σ weight × term over misfits and equations.
    public func withoutRegularizers(_ means: [Double]) -> Double {
        means.indices.filter { !terms[$0].isRegularizer }.reduce(0) { $0 + terms[$1].weight * means[$1] }
    }

    /// The norm of each weighted term's gradient over a chunk; costs one evaluation where every term has its own points.
    public func gradientNorms(_ backend: any Backend, parameters: [Float], chunk: Chunk) throws -> [Double] {
        var gradient: [Float] = []
        return try terms.indices.map { term in
            let batches = sets.map { set in
                PointBatch(
                    columns: (set == terms[term].set ? chunk.columns[set] : nil)
                        ?? set.columns.map { _ in FloatColumn([]) })
            }
            let weights = terms.indices.map { $0 == term ? terms[$0].weight : 0 }
            _ = try backend.squaredResiduals(
                parameters: parameters, batches: batches,
                coefficients: coefficients(divisors: divisors(of: chunk), weights: weights),
                gradient: &gradient)
            return gradient.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        }
    }

    private func weight(_ term: Int, _ factors: [Double]?) -> Double { terms[term].weight * (factors?[term] ?? 1) }
}
