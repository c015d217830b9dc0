import Compute
import ComputeCPU
import Fields
import Networks
import Objective
import Physics
import PointStore
import Pointwise
import TestSupport
import Testing

/// An inversion over made-up points: all sets, all derivatives.
struct Inversion {
    let objective: Objective
    let chunk: Chunk
    let parameters: [Float]

    init(
        physics: String = "shallow-shelf", hiddenLayers: Int = 3, width: Int = 10, collocation: Int = 37,
        others: Int = 23, seed: UInt64 = 1
    ) throws {
        let store = StoreDescription(
            counts: [
                .collocation: collocation, .velocity: others, .thickness: others, .front: others, .surface: others,
            ],
            normalizations: [
                .x: Normalization(offset: 1e6, scale: 4e4), .y: Normalization(offset: -2e6, scale: 6e4),
                .u: Normalization(offset: 300, scale: 400), .v: Normalization(offset: -50, scale: 200),
                .h: Normalization(offset: 350, scale: 150), .s: Normalization(offset: 500, scale: 400),
            ],
            scales: Scales(length: 6e4, speed: 400 / Constants.secondsPerYear, thickness: 350), grids: [],
            gridOfSet: [:],
            seed: 1)
        let model = try #require(EquationCatalog.model(named: physics))
        let network = Perceptron(hiddenLayers: hiddenLayers, width: width, outputs: model.unknowns.count)
        objective = .inversion(
            of: store, model: model, networks: NetworkGroup(network), weights: LossWeights(),
            constants: Constants())
        parameters = network.initialParameters(seed: seed).enumerated().map { number, weight in
            // Biases too, so that nothing is at a symmetric place.
            weight == 0 ? 0.1 * Float(unitInterval(mixed(seed, UInt64(number)))) : weight
        }
        func column(_ set: PointSet, _ column: Column, _ count: Int) -> [Float] {
            (0..<count).map { point in
                let number = Float(
                    2
                        * unitInterval(
                            mixed(
                                seed &+ 77,
                                UInt64(point * 101 + set.columns.firstIndex(of: column)! + set.rawValue.count * 7))) - 1
                )
                return column.isWeight ? 1.1 + number : number
            }
        }
        var columns: [PointSet: [[Float]]] = [:]
        for set in PointSet.allCases {
            let count = set == .collocation ? collocation : others
            columns[set] = set.columns.map { column(set, $0, count) }
        }
        chunk = Chunk(columns: columns)
    }

    /// The loss in double for parameters in double.
    func loss(_ parameters: [Double]) -> Double {
        let batches = objective.sets.map { PointBatch(columns: chunk.columns[$0]!) }
        let coefficients = objective.coefficients(divisors: batches.map { Double($0.count) })
        let sums = ReferenceBackend(objective.residualProblem).squaredResiduals(
            parameters: parameters, batches: batches, coefficients: coefficients
        ).sums
        return zip(sums, coefficients).reduce(0) { $0 + dot($1.0, $1.1) }
    }

    func gradient(_ parameters: [Double]) -> [Double] {
        let batches = objective.sets.map { PointBatch(columns: chunk.columns[$0]!) }
        return ReferenceBackend(objective.residualProblem).squaredResiduals(
            parameters: parameters, batches: batches,
            coefficients: objective.coefficients(divisors: batches.map { Double($0.count) })
        ).gradient
    }
}

@Suite struct GradientTests {
    @Test(arguments: EquationCatalog.models.map(\.name))
    func lossGradientAgreesWithFiniteDifferencesInDouble(physics: String) throws {
        let inversion = try Inversion(physics: physics)
        let parameters = inversion.parameters.map(Double.init)
        let gradient = inversion.gradient(parameters)
        let norm = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
        // Every weight of a small network. Fourth-order central differences at 2e-4 leave 1e-12 of truncation and of rounding,
        // and a thousand times more where a strain rate near zero has a power below one (the flow line).
        let step = 2e-4
        var squaredError = 0.0
        for place in parameters.indices {
            func at(_ steps: Double) -> Double {
                var moved = parameters
                moved[place] += steps * step
                return inversion.loss(moved)
            }
            let difference = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * step)
            squaredError += (difference - gradient[place]) * (difference - gradient[place])
        }
        #expect(squaredError.squareRoot() < 1e-6 * norm)
    }

    @Test(arguments: EquationCatalog.models.map(\.name))
    func cpuBackendAgreesWithTheReferenceForEveryPhysics(physics: String) throws {
        let inversion = try Inversion(physics: physics, collocation: 200, others: 100)
        var gradient: [Float] = []
        let loss = try inversion.objective.evaluate(
            CPUBackend(inversion.objective.residualProblem, threads: 1), parameters: inversion.parameters,
            chunk: inversion.chunk, gradient: &gradient)
        let parameters = inversion.parameters.map(Double.init)
        // As below; a viscosity that goes by the power -2/3 of a strain rate that passes through zero magnifies roundings.
        let bound = physics == "flow-line" ? 1e-4 : 5e-6
        #expect(relativeError(gradient.map(Double.init), inversion.gradient(parameters)) < bound)
        #expect(abs(loss.total - inversion.loss(parameters)) < 2e-6 * loss.total)
    }

    @Test(arguments: [(3, 10, 37), (1, 5, 200), (8, 128, 96), (4, 33, 1)])
    func cpuBackendAgreesWithTheReference(hiddenLayers: Int, width: Int, points: Int) throws {
        let inversion = try Inversion(
            hiddenLayers: hiddenLayers, width: width, collocation: points, others: points + 190)
        let backend = CPUBackend(inversion.objective.residualProblem, threads: 2)
        var gradient: [Float] = []
        let loss = try inversion.objective.evaluate(
            backend, parameters: inversion.parameters, chunk: inversion.chunk, gradient: &gradient)
        let parameters = inversion.parameters.map(Double.init)
        let exact = inversion.gradient(parameters)
        let error = zip(gradient, exact).reduce(0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) }.squareRoot()
        let norm = exact.reduce(0) { $0 + $1 * $1 }.squareRoot()
        // float32 has 6e-8 a rounding; sums of some hundred terms of mixed sign lose one to two digits.
        #expect(error < 5e-6 * norm)
        #expect(abs(loss.total - inversion.loss(parameters)) < 2e-6 * loss.total)
    }

    @Test func gradientHasTheSameBitsForAnyNumberOfThreads() throws {
        let inversion = try Inversion(hiddenLayers: 4, width: 32, collocation: 3000, others: 1000)
        let gradients = try [1, 2, 3, 7].map { threads in
            var gradient: [Float] = []
            let backend = CPUBackend(inversion.objective.residualProblem, threads: threads)
            let loss = try inversion.objective.evaluate(
                backend, parameters: inversion.parameters, chunk: inversion.chunk, gradient: &gradient)
            return (gradient.map(\.bitPattern), loss.total.bitPattern)
        }
        for other in gradients.dropFirst() {
            #expect(other.0 == gradients[0].0)
            #expect(other.1 == gradients[0].1)
        }
    }
}
