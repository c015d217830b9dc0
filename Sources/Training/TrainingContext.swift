import Compute
import Fields
import Objective
import Optimizers
import PointStore
import Runs

/// Everything a trainer works with, made from a configuration.
public struct TrainingContext {
    public let configuration: TrainingConfiguration
    public let store: StoreReader
    public let objective: Objective
    public let stream: ChunkStream
    public let backend: any Backend
    /// Whether the points of a fixed batch stay in memory; else they are read at each evaluation.
    public var keepsFixedBatch = false
    /// Whether the physics knows no flow across the x axis.
    private let isAlongX: Bool

    /// - Parameters:
    ///   - admit: throws where the run must not start; asked before anything large is allocated.
    ///   - makeBackend: chooses the device; only the command knows which there are.
    public init(
        _ configuration: TrainingConfiguration, admit: (StoreReader, Objective) throws -> Void = { _, _ in },
        makeBackend: (ResidualProblem) throws -> any Backend
    ) throws {
        self.configuration = configuration
        store = try StoreReader(path: configuration.store)
        let model = configuration.model
        isAlongX = !model.observed.contains(.velocityY)
        guard model.ice == store.description.ice else {
            throw OptionError.otherIce(
                physics: model.name, needs: model.ice, store: configuration.store,
                holds: store.description.ice)
        }
        objective = configuration.objective(for: store.description)
        try admit(store, objective)
        stream = ChunkStream(
            store, sizes: configuration.stream.sizes, seed: configuration.seed,
            bootstrap: configuration.resampling == .bootstrap ? Bootstrap(seed: configuration.seed) : nil)
        backend = try makeBackend(objective.residualProblem)
    }

    /// The optimizer of an iteration's phase, as it is at the beginning of the phase.
    func makeOptimizer(at iteration: Int) -> any Optimizer {
        configuration.makeOptimizer(
            at: iteration, parameterCount: objective.residualProblem.networks.parameterCount, threads: backend.threads)
    }

    /// The loss over a chunk, and its gradient.
    func evaluate(_ parameters: [Float], _ chunk: Chunk, _ factors: [Double]?, _ gradient: inout [Float]) throws -> Loss
    {
        try objective.evaluate(backend, parameters: parameters, chunk: chunk, factors: factors, gradient: &gradient)
    }

    /// Factors of one; nil where none will change.
    var startingBalance: LossReweighting? {
        configuration.balance == .none && !objective.hasRegularizer
            ? nil : LossReweighting(factors: objective.terms.map { _ in 1 })
    }

    /// Numbers among a kept sample's points that were observed.
    var observedValues: Int {
        let columns: [PointSet: Int] = [.velocity: isAlongX ? 1 : 2, .thickness: 1, .surface: 1]
        return objective.sets.reduce(0) {
            $0 + (columns[$1] ?? 0) * min(store.count($1), configuration.stream.sampleChunks * stream.size($1))
        }
    }

    /// What a user should know before hours are spent.
    public var notes: [String] { densityNotes + (flowNote.map { [$0] } ?? []) }

    /// A flow line is along the x axis: where ice flows across it as well, the equation is not that of the ice.
    private var flowNote: String? {
        let reach = { (column: Column) in
            store.description.normalizations[column].map { abs($0.offset) + $0.scale } ?? 0
        }
        guard isAlongX, reach(.v) > 0.2 * reach(.u) else { return nil }
        return
            "--physics \(configuration.model) is one-dimensional, along the x axis; in \(configuration.store) the velocity across it is \(Int((100 * reach(.v) / reach(.u)).rounded())) % of that along it"
    }

    /// The densities in which the product and the run differ, for the user to know: they move the viscosity.
    private var densityNotes: [String] {
        let stated = [
            ("ice", store.description.productIceDensity, configuration.constants.iceDensity, "--ice-density"),
            (
                "sea water", store.description.productSeaWaterDensity, configuration.constants.seaWaterDensity,
                "--sea-water-density"
            ),
        ]
        return stated.compactMap { name, product, run, option in
            guard let product, product != run else { return nil }
            return
                "the thickness product states \(product) kg m-3 for \(name), this run computes with \(run) (\(option))"
        }
    }
}
