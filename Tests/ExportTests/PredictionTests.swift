import ComputeCPU
import Covariance
import Export
import Fields
import NetCDFFiles
import Networks
import Optimizers
import PointStore
import Runs
import TestSupport
import Testing

/// A checkpoint of a network on the exact shelf's store, as a prediction.
struct SmallPrediction {
    let folder: TemporaryFolder
    let store: StoreReader
    let checkpoint: Checkpoint

    /// `weights` makes the network's parameters from their number.
    init(tiles: String = "1x1", weights: (NetworkGroup) -> [Float]) throws {
        folder = try TemporaryFolder()
        try ExactShelf.writeStore(to: folder.file("store.nc"))
        store = try StoreReader(path: folder.file("store.nc"))
        var configuration = TrainingConfiguration()
        try configuration.set("network", to: "2x8")
        try configuration.set("subdomains", to: tiles)
        let networks = configuration.networks
        checkpoint = Checkpoint(
            configuration: configuration, iteration: 5, parameters: weights(networks),
            optimizer: StoredArrays(),
            history: History(termNames: ["velocity"]), storeFingerprint: store.fingerprint, backend: "test",
            trainedSeconds: 1)
    }

    func prediction(names: [String]? = nil) throws -> Prediction {
        try Prediction(checkpoint, store: store, names: names) { CPUBackend($0, threads: 2) }
    }

    func value(_ name: String, x: Double, y: Double) throws -> Double {
        let prediction = try prediction()
        let number = try #require(prediction.fields.firstIndex { $0.name == name })
        return Double(try prediction.fields(x: [x], y: [y]).values[number][0])
    }
}

@Suite struct PredictionTests {
    @Test func aNetworkThatSaysNothingPredictsTheOffsetsOfTheStore() throws {
        let small = try SmallPrediction { [Float](repeating: 0, count: $0.parameterCount) }
        #expect(try small.value("u", x: 1000, y: 2000) == 0)
        #expect(abs(try small.value("h", x: 1000, y: 2000) - ExactShelf.thickness) < 1e-3)
        // μ₀ = ρ g (1 − ρ/ρ_w) h L / u, with u = ε L: twelve times the shelf's viscosity.
        #expect(abs(try small.value("mu", x: 0, y: 0) / (12 * ExactShelf.viscosity) - 1) < 1e-6)
        #expect(try small.value("effective_strain_rate", x: 0, y: 0) == 0)
        #expect(try small.value("residual_momentum_x", x: 0, y: 0) == 0)
    }

    /// A network that says nothing has no strain: no stress depends on its viscosity.
    @Test func aViscosityWithoutStrainIsNotDetermined() throws {
        let small = try SmallPrediction { [Float](repeating: 0, count: $0.parameterCount) }
        let objective = small.checkpoint.configuration.objective(for: small.store.description)
        var prediction = try small.prediction(names: ["u", "mu"])
        prediction.covariance = try WeightCovariance(
            of: small.checkpoint, objective, store: small.store,
            backend: CPUBackend(objective.residualProblem, threads: 2), report: { _ in })
        let fields = try prediction.fields(x: [0, 9000, -20000], y: [0, -7000, 15000])
        #expect(fields.flags == [[0, 0, 0]])
        #expect(
            prediction.columnNames == ["u", "mu", "u_standard_deviation", "mu_standard_deviation", "mu_determined"])
        // The velocity is.
        #expect(fields.deviations[0].allSatisfy { $0 < 20 })
    }

    @Test func strainRateIsThatOfThePredictedVelocity() throws {
        let small = try SmallPrediction { $0.initialParameters(seed: 3) }
        let (x, y) = (7000.0, -12000.0)
        func slope(_ name: String, _ dx: Double, _ dy: Double) throws -> Double {
            // Over 2 km: float32 velocities of tens of m/yr leave 1e-6 of rounding, the network's curvature about 1e-4.
            let step = 1000.0
            return
                (try small.value(name, x: x + step * dx, y: y + step * dy)
                - small.value(name, x: x - step * dx, y: y - step * dy))
                / (2 * step)
        }
        let (ux, uy) = (try slope("u", 1, 0), try slope("u", 0, 1))
        let (vx, vy) = (try slope("v", 1, 0), try slope("v", 0, 1))
        let expected = (ux * ux + vy * vy + ux * vy + 0.25 * (uy + vx) * (uy + vx)).squareRoot()
        #expect(abs(try small.value("effective_strain_rate", x: x, y: y) / expected - 1) < 1e-3)
    }

    /// Along two lines across all borders: those of tiles at x = ±13 km and y = 0.
    @Test func fieldsOfTilesMeetWithoutASeam() throws {
        let small = try SmallPrediction(tiles: "2x3") { $0.initialParameters(seed: 3) }
        let prediction = try small.prediction()
        let half = ExactShelf.halfWidth
        for (fromX, fromY, alongX, alongY) in [(-half, 3000.0, 1.0, 0.0), (1000.0, -half, 0.0, 1.0)] {
            let places = (0...4000).map { 2 * half * Double($0) / 4000 }
            let fields = try prediction.fields(
                x: places.map { fromX + alongX * $0 }, y: places.map { fromY + alongY * $0 })
            for (field, values) in zip(prediction.fields, fields.values) {
                // A step of a thousandth of the way: residuals hold second derivatives, so a field of a seam would jump by
                // about its own size.
                let steps = zip(values, values.dropFirst()).map { abs(Double($0 - $1)) }
                let size = values.map { abs(Double($0)) }.max() ?? 0
                #expect(steps.max()! < 0.03 * size, "\(field.name)")
            }
        }
    }

    @Test func theFileHoldsThePredictionOnFloatingCellsAndFillElsewhere() throws {
        let small = try SmallPrediction { $0.initialParameters(seed: 3) }
        let path = small.folder.file("prediction.nc")
        try PredictionWriter(try small.prediction(), gridNames: nil, command: "test").write(
            to: path
        ) { _ in }
        let file = try NetCDFFile(reading: path)
        let grid = small.store.description.grids[0]
        #expect(try file.requireVariable("x").read(as: Double.self) == grid.grid.x)
        #expect(try file.requireVariable("y").read(as: Double.self) == grid.grid.y)
        let mu: [Float] = try file.requireVariable("mu").read()
        for cell in [0, 17, 40, 80] {
            let here = try small.value("mu", x: grid.grid.x[cell % 9], y: grid.grid.y[cell / 9])
            #expect(Double(mu[cell]) == here)
        }
        #expect(small.folder.names == ["prediction.nc", "store.nc"])
        #expect(throws: PlainFailure.self) {
            _ = try PredictionWriter(
                try small.prediction(), gridNames: ["bed"], command: "test")
        }
    }
}
