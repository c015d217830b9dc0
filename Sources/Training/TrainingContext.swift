import Compute
import Fields
import Objective
import Optimizers
import PointStore
import Runs
import Threads

/// Everything a trainer works with, made from a configuration.
public struct TrainingContext {
    public let configuration: TrainingConfiguration
    public let store: StoreReader
    public let objective: Objective
    public let stream: ChunkStream
    public let backend: any Backend
    let phases: OptimizerPhases
    /// Whether a fixed batch stays in memory; else its chunks are read again for each evaluation. The bits do not depend on it.
    public var keepsFixedBatch: Bool
    /// Whether the physics knows no flow across the x axis.
    let isAlongX: Bool

    /// - Parameters:
    ///   - keepsFixedBatch: whether a batch that stays the same for many iterations remains in memory; else it is read again for
    ///     each evaluation. The bits do not depend on it.
    ///   - admit: throws where the run must not start; asked before anything large is allocated.
    ///   - makeBackend: chooses the device; only the command knows which there are.
    public init(
        _ configuration: TrainingConfiguration, keepsFixedBatch: Bool = true,
        admit: (StoreReader, Objective) throws -> Void = { _, _ in },
        makeBackend: (ResidualProblem) throws -> any Backend
    ) throws {
        self.configuration = configuration
        self.keepsFixedBatch = keepsFixedBatch
        phases = configuration.phases
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
        try ThreadTeam.reading.require(1)
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

    /// Factors of one; nil where none will change.
    var initialReweighting: LossReweighting? {
        configuration.balance == .none && !objective.hasRegularizer
            ? nil : LossReweighting(factors: objective.terms.map { _ in 1 })
    }

    /// Observed numbers at the points of a fixed batch.
    var observedValues: Int {
        let columns: [PointSet: Int] = [.velocity: isAlongX ? 1 : 2, .thickness: 1, .surface: 1]
        return objective.sets.reduce(0) {
            $0 + (columns[$1] ?? 0) * min(store.count($1), configuration.stream.sampleChunks * stream.size($1))
        }
    }
}
