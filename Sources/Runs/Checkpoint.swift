import Fields
import NetCDFFiles
import Optimizers
import PointStore

/// A run at the beginning of an iteration whose loss and gradient were found finite: enough to go on bit for bit, and
/// to predict.
public struct Checkpoint: Sendable {
    public var configuration: TrainingConfiguration
    /// Steps that the optimizer has made.
    public var iteration: Int
    public var parameters: [Float]
    /// The optimizer's state.
    public var optimizer: StoredArrays
    /// Factors on the terms' weights; nil where they are not balanced.
    public var balance: [Double]?
    /// Collocation points that the run trains on; nil: those of the store.
    public var resampled: ResampledPoints?
    public var history: History
    /// `StoreReader.fingerprint` of the store that the run trains on.
    public var storeFingerprint: String
    /// `Backend.summary`: what the bits depend on.
    public var backend: String
    /// Time spent in training, over all resumptions [s].
    public var trainedSeconds: Double
    /// Whether the run had come to its end, by its total or by its stopping rule.
    public var hasEnded = false
    /// Which run it belongs to (`RunMark`); nil in checkpoints of earlier versions.
    var runID: String?

    public init(
        configuration: TrainingConfiguration, iteration: Int, parameters: [Float], optimizer: StoredArrays,
        balance: [Double]? = nil,
        resampled: ResampledPoints? = nil, history: History, storeFingerprint: String, backend: String,
        trainedSeconds: Double
    ) {
        self.configuration = configuration
        self.iteration = iteration
        self.parameters = parameters
        self.optimizer = optimizer
        self.balance = balance
        self.resampled = resampled
        self.history = history
        self.storeFingerprint = storeFingerprint
        self.backend = backend
        self.trainedSeconds = trainedSeconds
    }
}

// The file: NetCDF-4 with dimensions parameter, drawn, iteration, term and those of the optimizer's state, sealed
// (NetCDFFiles/IntegrityTrailer.swift).
extension Checkpoint {
    static let format = "IceShelfPINN checkpoint 2"
    fileprivate static let parametersName = "parameters"
    fileprivate static let statePrefix = "optimizer_"
    fileprivate static let drawnPrefix = "drawn_"
    private static let drawnAt = "drawn_at"
    private static func drawnVariable(_ column: Column) -> String { drawnPrefix + column.rawValue }

    /// Writes the file whole, or leaves what was there.
    public func write(to path: String) throws {
        try AtomicFile.write(to: path) {
            try NetCDFFile.create($0, reserving: byteCount, writeValues)
            try IntegrityTrailer.close($0)
        }
    }

    /// At least what the file takes.
    private var byteCount: Int {
        Checkpoint.byteCount(
            parameters: parameters.count,
            optimizer: StateSize(
                bytes: optimizer.vectors.values.reduce(0) { $0 + 4 * $1.count }
                    + optimizer.doubles.values.reduce(0) { $0 + 8 * $1.count },
                arrays: optimizer.vectors.count + optimizer.doubles.count),
            resampledPoints: resampled?.columns[0].count ?? 0, terms: history.termNames.count, iterations: history.count
        )
    }

    private func writeValues(to file: NetCDFFile) throws {
        try file.setAttributes([
            "title": "Checkpoint of a physics-informed network of an ice shelf", "format": .text(Checkpoint.format),
            "software": .text(Version.text), "plan": .text(configuration.toml),
            "iteration": .number(Double(iteration)), "store_fingerprint": .text(storeFingerprint),
            "backend": .text(backend), "trained_s": .number(trainedSeconds), "has_ended": hasEnded ? 1.0 : 0.0,
        ])
        if let runID { try file.setAttribute(RunMark.attribute, .text(runID)) }
        for (name, count) in optimizer.counts.sorted(by: { $0.key < $1.key }) {
            try file.setAttribute(Checkpoint.statePrefix + name, .number(Double(count)))
        }
        if let balance { try file.setAttribute("balance_factors", .numbers(balance)) }
        let parameter = try file.define(dimension: "parameter", length: parameters.count)
        let values = try file.define(
            variable: Checkpoint.parametersName, .float, over: [parameter],
            ["long_name": "network weights, layer by layer: weights (inputs, outputs) row-major, then biases"])
        var vectors: [(Variable, [Float])] = [(values, parameters)]
        for (name, vector) in optimizer.vectors.sorted(by: { $0.key < $1.key }) {
            let element =
                vector.count == parameters.count
                ? parameter : try file.define(dimension: "\(name)_element", length: vector.count)
            vectors.append((try file.define(variable: Checkpoint.statePrefix + name, .float, over: [element]), vector))
        }
        let doubles = try optimizer.doubles.sorted(by: { $0.key < $1.key }).map { name, values in
            let element = try file.define(dimension: "\(name)_element", length: values.count)
            return (try file.define(variable: Checkpoint.statePrefix + name, .double, over: [element]), values)
        }
        if let resampled {
            try file.setAttribute(Checkpoint.drawnAt, .number(Double(resampled.iteration)))
            let point = try file.define(dimension: "drawn", length: resampled.columns[0].count)
            for (column, values) in zip(PointSet.collocation.columns, resampled.columns) {
                vectors.append(
                    (try file.define(variable: Checkpoint.drawnVariable(column), .float, over: [point]), values))
            }
        }
        let losses = try History.define(history, in: file)
        try file.endDefinitions()
        for (variable, vector) in vectors { try variable.write(vector) }
        for (variable, values) in doubles { try variable.write(values) }
        try losses?.write(history)
    }

    /// What of a checkpoint is read besides the configuration and the weights, which is what a prediction needs.
    public struct Contents: OptionSet, Sendable {
        public let rawValue: Int
        public init(rawValue: Int) { self.rawValue = rawValue }

        /// The optimizer's state, which can be many times as long as the weights.
        public static let optimizer = Contents(rawValue: 1)
        /// Collocation points that were drawn.
        public static let resampledPoints = Contents(rawValue: 2)
        public static let history = Contents(rawValue: 4)
        /// What a run resumes from.
        public static let all: Contents = [.optimizer, .resampledPoints, .history]

        fileprivate func include(_ variable: String) -> Bool {
            if variable.hasPrefix(Checkpoint.statePrefix) { return contains(.optimizer) }
            if variable.hasPrefix(Checkpoint.drawnPrefix) { return contains(.resampledPoints) }
            return variable == Checkpoint.parametersName || contains(.history)
        }
    }

    /// Reads a checkpoint, and checks every byte of the file; variables that are not among the contents are not read.
    ///
    /// - Parameter admit: called with the number of bytes before they are read; throws where there is no room.
    public init(reading path: String, _ contents: Contents = .all, admit: (_ bytes: Int) throws -> Void = { _ in })
        throws
    {
        try IntegrityTrailer.verify(path)
        let file = try NetCDFFile(reading: path)
        func damaged(_ what: String) -> NetCDFError { .damaged(path: path, reason: what) }
        guard file.attribute("format")?.text == Checkpoint.format else {
            throw damaged(
                "its format is \(quoted(file.attribute("format")?.text ?? "missing")), not \(quoted(Checkpoint.format))"
            )
        }
        guard let planText = file.attribute("plan")?.text,
            let iteration = file.attribute("iteration")?.number.flatMap({ Int(exactly: $0) }),
            let fingerprint = file.attribute("store_fingerprint")?.text, let backend = file.attribute("backend")?.text,
            let seconds = file.attribute("trained_s")?.number
        else { throw damaged("an attribute is missing") }
        guard let configuration = try? TrainingConfiguration(toml: planText) else {
            throw damaged("its plan cannot be read")
        }
        let variables = file.variables.filter { contents.include($0.name) }
        try admit(variables.reduce(0) { $0 + $1.count * $1.type.byteCount })
        var optimizer = StoredArrays()
        for name in file.attributeNames where contents.contains(.optimizer) && name.hasPrefix(Checkpoint.statePrefix) {
            optimizer.counts[String(name.dropFirst(Checkpoint.statePrefix.count))] = file.attribute(name)?.number
                .flatMap {
                    Int(exactly: $0)
                }
        }
        for variable in variables where variable.name.hasPrefix(Checkpoint.statePrefix) {
            let name = String(variable.name.dropFirst(Checkpoint.statePrefix.count))
            if variable.type == .float {
                optimizer.vectors[name] = try variable.read()
            } else {
                optimizer.doubles[name] = try variable.read()
            }
        }
        self.init(
            configuration: configuration, iteration: iteration,
            parameters: try file.requireVariable(Checkpoint.parametersName).read(),
            optimizer: optimizer, balance: file.attribute("balance_factors")?.numbers,
            resampled: try contents.contains(.resampledPoints)
                ? file.attribute(Checkpoint.drawnAt)?.number.flatMap { Int(exactly: $0) }.map { drawnAt in
                    ResampledPoints(
                        iteration: drawnAt,
                        columns: try PointSet.collocation.columns.map {
                            try file.requireVariable(Checkpoint.drawnVariable($0)).read()
                        })
                } : nil,
            history: try contents.contains(.history) ? History(reading: file) : History(termNames: []),
            storeFingerprint: fingerprint, backend: backend,
            trainedSeconds: seconds)
        hasEnded = file.attribute("has_ended")?.number == 1
        runID = file.attribute(RunMark.attribute)?.text
    }
}

/// The variables of a history in a file.
extension History {
    struct Variables {
        let loss: Variable
        let terms: Variable
        let misfits: Variable

        func write(_ history: History) throws {
            try loss.write(history.totals)
            try terms.write(history.terms)
            try misfits.write(history.misfits)
        }
    }

    /// Nothing for an empty history: a dimension of length zero would mean "unlimited".
    static func define(_ history: History, in file: NetCDFFile) throws -> Variables? {
        try file.setAttribute("loss_terms", .text(history.termNames.joined(separator: " ")))
        try file.setAttribute("misfit_units", .text(history.units.joined(separator: ", ")))
        guard history.count > 0 else { return nil }
        let iteration = try file.define(dimension: "iteration", length: history.count)
        let term = try file.define(dimension: "term", length: history.termNames.count)
        return Variables(
            loss: try file.define(
                variable: "loss", .double, over: [iteration],
                ["long_name": "sum of loss_term by the run's fixed weights"]),
            terms: try file.define(
                variable: "loss_term", .double, over: [iteration, term],
                ["long_name": "mean squared residual of each term, without its weight; names in loss_terms"]),
            misfits: try file.define(
                variable: "misfit", .double, over: [iteration, term],
                [
                    "long_name":
                        "root mean square residual of each term, in misfit_units; a momentum residual of 1 is the driving stress rho g (1 - rho/rho_w) h0^2 / L0, a front residual of 1 is rho g (1 - rho/rho_w) h0"
                ]))
    }

    init(reading file: NetCDFFile) throws {
        let names = file.attribute("loss_terms")?.text ?? ""
        let units = file.attribute("misfit_units")?.text ?? ""
        self.init(
            termNames: names.split(separator: " ").map(String.init),
            units: units.split(separator: ", ").map(String.init))
        guard file.dimension("iteration") != nil else { return }
        totals = try file.requireVariable("loss").read()
        terms = try file.requireVariable("loss_term").read()
        misfits = try file.requireVariable("misfit").read()
    }

    static let title = "Loss history of a physics-informed network of an ice shelf"

    /// Writes the history alone, for plotting.
    func write(to path: String, runID: String?) throws {
        guard count > 0 else { return }
        let bytes = Checkpoint.byteCount(
            parameters: 0, optimizer: StateSize(bytes: 0, arrays: 0), resampledPoints: 0, terms: termNames.count,
            iterations: count)
        try AtomicFile.write(to: path) {
            try NetCDFFile.create($0, reserving: bytes) { file in
                try file.setAttributes(["title": .text(History.title), "software": .text(Version.text)])
                if let runID { try file.setAttribute(RunMark.attribute, .text(runID)) }
                let variables = try History.define(self, in: file)
                try file.endDefinitions()
                try variables?.write(self)
            }
        }
    }
}
