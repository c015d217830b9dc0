import Compute
import Fields
import Objective
import Physics
import PointStore
import Pointwise
import Runs

/// A trained network, ready to be asked anywhere on its shelf.
public struct Prediction {
    public let checkpoint: Checkpoint
    public let store: StoreReader
    public let fields: [PredictedField]
    public let backend: any Backend
    private let program: PointProgram

    public init(_ checkpoint: Checkpoint, store: StoreReader, makeBackend: (Workload) throws -> any Backend) throws {
        let model = try checkpoint.plan.model()
        let networks = try checkpoint.plan.networks()
        let scaling = FieldScaling(store.description, checkpoint.plan.constants)
        let fields = PredictedField.all(model: model, store: store.description, constants: checkpoint.plan.constants)
        program = PointProgram(
            Program.recording { recorder in
                let point = FieldPoint(
                    recorder: recorder, unknowns: model.unknowns, maps: scaling.maps, columns: ["x", "y"],
                    numbers: scaling.numbers)
                return fields.map { $0.value(point) }
            })
        self.checkpoint = checkpoint
        self.store = store
        self.fields = fields
        backend = try makeBackend(Workload(networks: networks, inputSlopes: scaling.inputSlopes, programs: [program]))
    }

    /// All fields at positions in the projection [m], in their own units: one array a field.
    public func fields(x: [Double], y: [Double]) throws -> [[Float]] {
        let normalizationX = store.description.normalization(.x)
        let normalizationY = store.description.normalization(.y)
        let points = PointBatch(columns: [
            x.map { Float(normalizationX.stored($0)) }, y.map { Float(normalizationY.stored($0)) },
        ])
        return try backend.outputs(of: program, parameters: checkpoint.parameters, at: points)
    }
}
