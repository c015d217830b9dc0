import Compute
import ComputeCPU
import Fields
import Glibc
import Networks
import Objective
import Physics
import PointStore
import Pointwise
import TestSupport
import Testing

/// A network that stands for a shelf somewhere on a map, with offsets and scales of every kind, and the same shelf in SI
/// units: fields as functions of metres, their derivatives by differences.
private struct ShelfOnAMap {
    let store = StoreDescription(
        counts: [.collocation: 10, .velocity: 10, .thickness: 10, .front: 10],
        normalizations: [
            .x: Normalization(offset: 1.3e6, scale: 4e4), .y: Normalization(offset: -2e6, scale: 7e4),
            .u: Normalization(offset: 300, scale: 400), .v: Normalization(offset: -50, scale: 200),
            .h: Normalization(offset: 350, scale: 90),
        ],
        scales: Scales(length: 6e4, speed: 400 / Constants.secondsPerYear, thickness: 380), grids: [], gridOfSet: [:],
        seed: 1)
    let constants = Constants()
    let objective: Objective
    let parameters: [Float]

    init() throws {
        let model = try #require(EquationCatalog.model(named: "shallow-shelf"))
        let network = Perceptron(hiddenLayers: 2, width: 8, outputs: 4)
        objective = .inversion(
            of: store, model: model, networks: NetworkGroup(network), weights: LossWeights(),
            constants: constants)
        parameters = network.initialParameters(seed: 21)
    }

    /// The outputs of the network at a place on the map [m].
    func outputs(_ x: Double, _ y: Double) -> [Double] {
        ReferenceBackend(objective.residualProblem).outputs(
            of: .channels(.none, outputs: 4), parameters: parameters.map(Double.init),
            at: [[store.normalization(.x).stored(x)], [store.normalization(.y).stored(y)]]
        ).map { $0[0] }
    }

    /// [m s⁻¹, m s⁻¹, m, Pa s]
    func fields(_ x: Double, _ y: Double) -> [Double] {
        let o = outputs(x, y)
        return [
            store.normalization(.u).physical(o[0]) / Constants.secondsPerYear,
            store.normalization(.v).physical(o[1]) / Constants.secondsPerYear, store.normalization(.h).physical(o[2]),
            store.scales.viscosity(constants) * exp(o[3]),
        ]
    }

    /// Differences of order 8 at 700 m, a hundredth or two of the network's own unit.
    func slopes<T>(_ f: (Double, Double) -> T, _ x: Double, _ y: Double, _ component: (T) -> Double) -> (
        x: Double, y: Double
    ) {
        (
            Difference.derivative(step: 700) { component(f(x + $0, y)) },
            Difference.derivative(step: 700) { component(f(x, y + $0)) }
        )
    }

    /// Membrane stress integrated over the thickness, less ½ ρ g (1 − ρ/ρ_w) h² [Pa m].
    func stress(_ x: Double, _ y: Double) -> (xx: Double, xy: Double, yy: Double, h: Double) {
        let f = fields(x, y)
        let u = slopes(fields, x, y) { $0[0] }
        let v = slopes(fields, x, y) { $0[1] }
        let (h, mu) = (f[2], f[3])
        let pressure =
            constants.iceDensity * constants.gravity * (1 - constants.iceDensity / constants.seaWaterDensity) * h * h
            / 2
        return (
            4 * mu * h * u.x + 2 * mu * h * v.y - pressure, mu * h * (u.y + v.x),
            2 * mu * h * u.x + 4 * mu * h * v.y - pressure, h
        )
    }

    func residuals(_ set: PointSet, _ columns: [Double]) -> [Double] {
        let program = objective.residualProblem.programs[objective.sets.firstIndex(of: set)!]
        return ReferenceBackend(objective.residualProblem).outputs(
            of: program, parameters: parameters.map(Double.init), at: columns.map { [$0] }
        ).map { $0[0] }
    }
}

@Suite("An objective")
struct ObjectiveTests {
    private static let places = [(1.3e6, -2e6), (1.33e6, -2.05e6), (1.28e6, -1.96e6)]

    @Test("has a momentum residual whose unit is ρ g (1 − ρ/ρ_w) h₀² / L₀, in the equation of SI units")
    func momentum() throws {
        let shelf = try ShelfOnAMap()
        for (x, y) in Self.places {
            let alongXX = shelf.slopes(shelf.stress, x, y) { $0.xx }
            let alongXY = shelf.slopes(shelf.stress, x, y) { $0.xy }
            let alongYY = shelf.slopes(shelf.stress, x, y) { $0.yy }
            let residuals = shelf.residuals(
                .collocation, [shelf.store.normalization(.x).stored(x), shelf.store.normalization(.y).stored(y)])
            let momentum = shelf.store.scales.momentum(shelf.constants)
            // Differences of differences, in double, of places known to 1e-16 of 2e6 m: 1e-10 and less.
            #expect(
                relativeError([alongXX.x + alongXY.y, alongXY.x + alongYY.y], residuals.map { momentum * $0 }) < 1e-8)
        }
    }

    @Test("has a front residual whose unit is ρ g (1 − ρ/ρ_w) h₀")
    func front() throws {
        let shelf = try ShelfOnAMap()
        for (number, (x, y)) in Self.places.enumerated() {
            let (nx, ny) = (cos(Double(number)), sin(Double(number)))
            let n = shelf.stress(x, y)
            let residuals = shelf.residuals(
                .front, [shelf.store.normalization(.x).stored(x), shelf.store.normalization(.y).stored(y), nx, ny])
            let unit = shelf.constants.buoyantSpecificWeight * shelf.store.scales.thickness
            #expect(
                relativeError(
                    [(n.xx * nx + n.xy * ny) / n.h, (n.xy * nx + n.yy * ny) / n.h], residuals.map { unit * $0 })
                    < 1e-9)
        }
    }

    @Test("weighs the squared misfit of every observation, in the store's normalisation")
    func misfit() throws {
        let shelf = try ShelfOnAMap()
        let (x, y) = (1.31e6, -2.01e6)
        let place = [shelf.store.normalization(.x).stored(x), shelf.store.normalization(.y).stored(y)]
        let o = shelf.outputs(x, y)
        let velocity = shelf.residuals(.velocity, place + [0.3, -0.4, 2.25, 0.16])
        let thickness = shelf.residuals(.thickness, place + [0.1, 0.25])
        #expect(relativeError(velocity, [1.5 * (o[0] - 0.3), 0.4 * (o[1] + 0.4)]) < 1e-14)
        #expect(relativeError(thickness, [0.5 * (o[2] - 0.1)]) < 1e-14)
    }

    @Test("is the sum of its terms' means, each with its weight")
    func terms() throws {
        let inversion = try Inversion(collocation: 9, others: 5)
        var gradient: [Float] = []
        let loss = try inversion.objective.evaluate(
            ReferenceBackend(inversion.objective.residualProblem), parameters: inversion.parameters,
            chunk: inversion.chunk,
            gradient: &gradient)
        #expect(inversion.objective.terms.map(\.name) == ["velocity", "thickness", "equation", "front"])
        #expect(loss.terms.allSatisfy { $0 > 0 })
        // DIFFICE_jax's weights. Four products and sums in double.
        #expect(abs(loss.total - dot([1, 0.6, 0.05, 0.1], loss.terms)) < 1e-14 * loss.total)

        let sets: [PointSet] = [.velocity, .thickness, .collocation, .front]
        for (set, mean) in zip(sets, loss.terms) {
            let program = inversion.objective.residualProblem.programs[inversion.objective.sets.firstIndex(of: set)!]
            let columns = try #require(inversion.chunk.columns[set])
            let residuals = ReferenceBackend(inversion.objective.residualProblem).outputs(
                of: program, parameters: inversion.parameters.map(Double.init), at: columns.map { $0.map(Double.init) })
            let squares = residuals.joined().reduce(0) { $0 + $1 * $1 }
            #expect(abs(squares / Double(columns[0].count) - mean) < 1e-13 * mean)
        }
    }

    @Test("tells each term's root mean square in metres, metres a year, and units of the driving stress")
    func units() throws {
        let shelf = try ShelfOnAMap()
        var gradient: [Float] = []
        let place: [[Float]] = [[0.1], [-0.2]]
        let chunk = Chunk(
            columns: [
                .velocity: place + [[0.3], [-0.4], [1.5], [0.5]], .thickness: place + [[0.1], [1]], .collocation: place,
                .front: place + [[0.6], [0.8]],
            ])
        let loss = try shelf.objective.evaluate(
            ReferenceBackend(shelf.objective.residualProblem), parameters: shelf.parameters, chunk: chunk,
            gradient: &gradient)
        let fields = shelf.fields(
            shelf.store.normalization(.x).physical(Double(Float(0.1))),
            shelf.store.normalization(.y).physical(Double(Float(-0.2))))
        let u = fields[0] * Constants.secondsPerYear - shelf.store.normalization(.u).physical(Double(Float(0.3)))
        let v = fields[1] * Constants.secondsPerYear - shelf.store.normalization(.v).physical(Double(Float(-0.4)))
        let h = fields[2] - shelf.store.normalization(.h).physical(Double(Float(0.1)))
        let misfits = loss.meanSquares.map { $0.squareRoot() }
        #expect(relativeError(Array(misfits[..<2]), [(1.5 * u * u + 0.5 * v * v).squareRoot(), abs(h)]) < 1e-12)
        #expect(misfits[2...] == loss.terms[2...].map { $0.squareRoot() }[...])
        #expect(shelf.objective.terms.map(\.unit) == ["m year-1", "m", "1", "1"])
    }

    @Test("is balanced by factors that make the gradients of its weighted terms equally long")
    func balance() throws {
        let inversion = try Inversion(collocation: 9, others: 5)
        let objective = inversion.objective
        let backend = ReferenceBackend(objective.residualProblem)
        let norms = try objective.gradientNorms(backend, parameters: inversion.parameters, chunk: inversion.chunk)
        var balance = LossReweighting(factors: [1, 1, 1, 1])
        // 0.9 to the power of 400 is 5e-19.
        for _ in 0..<400 { balance.update(gradientNorms: norms) }
        let mean = norms.reduce(0, +) / 4
        func gradient(_ factors: [Double]) throws -> [Double] {
            var gradient: [Float] = []
            let loss = try objective.evaluate(
                backend, parameters: inversion.parameters, chunk: inversion.chunk, factors: factors, gradient: &gradient
            )
            let weights = zip(objective.terms, factors).map { $0.weight * $1 }
            #expect(abs(loss.total - dot(weights, loss.terms)) < 1e-14 * loss.total)
            return gradient.map(Double.init)
        }
        for term in 0..<4 {
            let alone = try gradient((0..<4).map { $0 == term ? balance.factors[term] : 0 })
            // Gradients are rounded to float32.
            #expect(abs(norm(alone) - mean) < 1e-6 * mean)
        }
        var absent = LossReweighting(factors: [1, 1, 1])
        absent.update(gradientNorms: [1, 0, 3])
        #expect(absent.factors[1] == 1)
        #expect(relativeError(absent.factors, [0.9 + 0.1 * 2, 1, 0.9 + 0.1 * 2 / 3]) < 1e-15)
    }

    @Test("takes no harm from an observation of weight zero, where the root has no derivative")
    func weightZero() throws {
        let inversion = try Inversion(collocation: 9, others: 5)
        func gradient(_ make: (ResidualProblem) -> any Backend, weight: Float) throws -> [Float] {
            var columns = inversion.chunk.columns
            for component in 4...5 {
                columns[.velocity]?[component] = FloatColumn([Float](repeating: weight, count: 5))
            }
            columns[.thickness]?[3] = FloatColumn([Float](repeating: weight, count: 5))
            var gradient: [Float] = []
            _ = try inversion.objective.evaluate(
                make(inversion.objective.residualProblem), parameters: inversion.parameters,
                chunk: Chunk(columns: columns), gradient: &gradient)
            return gradient
        }
        for make in [{ ReferenceBackend($0) }, { CPUBackend($0, threads: 1) }] as [(ResidualProblem) -> any Backend] {
            let zero = try gradient(make, weight: 0)
            #expect(zero.allSatisfy { $0.isFinite })
            // As small a weight as makes no difference: its root is 1e-6.
            let tiny = try gradient(make, weight: 1e-12)
            #expect(relativeError(zero.map(Double.init), tiny.map(Double.init)) < 1e-5)
        }
    }
}
