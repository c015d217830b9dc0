import Compute
import Covariance
import Fields
import Objective
import Physics
import PointStore
import Pointwise
import Runs

/// A trained network, or an ensemble of them, that can be evaluated anywhere on its shelf.
public struct Prediction {
    /// Fields at points: one array per field.
    public struct Values {
        /// Of an ensemble, the mean over its members. Arithmetic, for the viscosity as well: the momentum balance is linear in
        /// the viscosity, so that the mean of members that satisfy it satisfies it; their geometric mean does not.
        public var values: [[Float]]
        /// Standard deviations over the members (by n − 1), or by the covariance of a single network; empty without either.
        public var deviations: [[Float]] = []
        /// Of each field that has a flag: 1 where it is determined, 0 where not.
        public var flags: [[Float]] = []
    }

    public let checkpoint: Checkpoint
    public let store: StoreReader
    public let fields: [PredictedField]
    public let backend: any Backend
    /// Weights of every network.
    private let members: [[Float]]
    private let program: PointProgram

    /// Of a single network's weights, for the standard deviations of its fields.
    public var covariance: WeightCovariance? {
        didSet { precondition(covariance == nil || members.count == 1) }
    }

    public var memberCount: Int { members.count }
    public var hasDeviations: Bool { memberCount > 1 || covariance != nil }
    /// Names of all arrays of `Values`.
    public var columnNames: [String] {
        fields.map(\.name) + (hasDeviations ? fields.map(\.deviationName) : []) + flaggedFields.map(\.flagName)
    }
    /// Inferred fields, which data may leave open: with a covariance, they have a flag.
    var flaggedFields: [PredictedField] {
        guard covariance != nil else { return [] }
        return checkpoint.configuration.model.inferred.compactMap { quantity in
            fields.first { $0.name == quantity.symbol }
        }
    }

    /// - Parameters:
    ///   - members: weights of an ensemble's networks; nil for the checkpoint's own.
    ///   - derived: whether to include the strain rate and the residuals besides the network's own fields; they need six
    ///     channels instead of one.
    ///   - names: the fields to include instead; "all" for all.
    public init(
        _ checkpoint: Checkpoint, members: [[Float]]? = nil, store: StoreReader, derived: Bool = true,
        names: [String]? = nil,
        makeBackend: (ResidualProblem) throws -> any Backend
    ) throws {
        let model = checkpoint.configuration.model
        let networks = checkpoint.configuration.networks
        let scaling = FieldScaling(store.description, checkpoint.configuration.constants)
        let all = PredictedField.all(
            model: model, store: store.description, constants: checkpoint.configuration.constants)
        let fields =
            try names.map { try Prediction.fields(named: $0, among: all) }
            ?? (derived ? all.filter(\.isAlwaysWritten) : Array(all.prefix(model.unknowns.count)))
        program = PointProgram(
            Program.recording { tracer in
                let point = FieldPoint(
                    tracer: tracer, unknowns: model.unknowns, maps: scaling.maps, columns: ["x", "y"],
                    numbers: scaling.numbers)
                return fields.map { $0.value(point) }
            })
        self.checkpoint = checkpoint
        self.members = members ?? [checkpoint.parameters]
        self.store = store
        self.fields = fields
        backend = try makeBackend(
            ResidualProblem(networks: networks, inputSlopes: scaling.inputSlopes, programs: [program]))
    }

    private static func fields(named names: [String], among all: [PredictedField]) throws -> [PredictedField] {
        if names == ["all"] { return all }
        if let unknown = names.first(where: { name in !all.contains { $0.name == name } }) {
            throw PlainFailure(
                .usage,
                "--fields: no field \(quoted(unknown)) in this run; it has \(all.map(\.name).joined(separator: ", ")), or all"
            )
        }
        return all.filter { names.contains($0.name) }
    }

    /// Bytes that `fields(x:y:)` and its caller's positions take, besides what the device holds.
    public static func byteCount(points: Int, fields: Int, members: Int) -> Int {
        // Numbers of the cells, in arrays that grow; x and y in double and as they are stored.
        let positions = 3 * 8 + 2 * (8 + 4)
        // Of an ensemble: outputs of a member, means and squares in double, and what becomes of them.
        return points * (positions + fields * (members > 1 ? 4 + 2 * 8 + 2 * 4 : 0))
    }

    /// All fields at positions in the projection [m], in their own units.
    ///
    /// - Parameter check: throws where the work is to stop; asked where it takes long.
    public func fields(x: [Double], y: [Double], check: () throws -> Void = {}) throws -> Values {
        let normalizationX = store.description.normalization(.x)
        let normalizationY = store.description.normalization(.y)
        let points = PointBatch(columns: [
            x.map { Float(normalizationX.stored($0)) }, y.map { Float(normalizationY.stored($0)) },
        ])
        let first = try backend.outputs(of: program, parameters: members[0], at: points)
        guard members.count > 1 else { return try withDeviations(first, at: points, check: check) }
        // Welford (1962): in one pass, without the difference of two large sums.
        var means = first.map { $0.map(Double.init) }
        var squares = first.map { [Double](repeating: 0, count: $0.count) }
        for (number, parameters) in members.enumerated().dropFirst() {
            let outputs = try backend.outputs(of: program, parameters: parameters, at: points)
            for field in means.indices {
                for point in means[field].indices {
                    let value = Double(outputs[field][point])
                    let change = value - means[field][point]
                    means[field][point] += change / Double(number + 1)
                    squares[field][point] += change * (value - means[field][point])
                }
            }
        }
        let freedom = Double(members.count - 1)
        return Values(
            values: means.map { $0.map { Float($0) } },
            deviations: squares.map { $0.map { Float(($0 / freedom).squareRoot()) } })
    }

    private func withDeviations(_ values: [[Float]], at points: PointBatch, check: () throws -> Void) throws -> Values {
        guard let covariance else { return Values(values: values) }
        let deviations = try FieldDeviations(backend, parameters: members[0], covariance).values(
            at: points, check: check)
        let flags = flaggedFields.map { flagged in
            let number = fields.firstIndex { $0.name == flagged.name }!
            let isPositive = checkpoint.configuration.model.inferred.contains {
                $0.symbol == flagged.name && $0.isPositive
            }
            return values[number].indices.map { point -> Float in
                Prediction.isDetermined(
                    values[number][point], deviation: deviations.posterior[number][point],
                    prior: deviations.prior[number][point], isPositive: isPositive) ? 1 : 0
            }
        }
        return Values(values: values, deviations: deviations.posterior, flags: flags)
    }

    /// Whether data and equations say more of an inferred field than the prior: its standard deviation is at most half of the prior's,
    /// and a positive one's, whose logarithm the network represents, is at most half of the field.
    static func isDetermined(_ value: Float, deviation: Float, prior: Float, isPositive: Bool) -> Bool {
        deviation <= prior / 2 && (!isPositive || deviation <= value / 2)
    }
}
