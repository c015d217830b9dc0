import Optimizers

/// What a run uses where its user chose nothing, from measurements (docs/accuracy.md).
extension TrainingConfiguration {
    /// Two small networks, one for velocity and thickness and one for the viscosity: a dense quasi-Newton method gets more of
    /// them in minutes than Adam gets of large ones in hours.
    static let defaultShapes = "4x32+4x32"
    /// Adam finds the basin of a minimum, self-scaled Broyden converges in it.
    static let defaultPhases = "\(Adam.name):1000,\(SelfScaledBroyden.name):7000"
    /// Many observations: they cost a sixth of a collocation point, and noise averages out.
    static let defaultStream = StreamConfiguration(chunk: 1024, data: 2048)
    /// Methods that draw rows from an iteration's points find neighbours among many, by which they tell noise from signal.
    static let sampledStream = StreamConfiguration(chunk: 16_384, data: 32_768)
    /// Of such a method, where none are given: without noise the viscosity's error falls to 0.1 % on one shelf and 0.9 % on another.
    static let sampledIterations = 60
    /// The dense matrix of so many parameters takes 0.6 GB.
    static let maxDenseMethodParameters = 12_000

    /// The configuration of a run.
    ///
    /// - Parameters:
    ///   - given: options by name, as text.
    ///   - saved: that of the run that is resumed, which they change.
    public init(_ given: [String: String], resuming saved: TrainingConfiguration?) throws {
        self = saved ?? TrainingConfiguration()
        for (name, text) in given { try set(name, to: text) }
        let given = Set(given.keys)
        if saved == nil { try fillInDefaults(given: given) }
        // A user who says how many iterations gets them.
        if given.contains("iterations"), !given.contains("stop") { stop = .total }
        try validate()
    }

    /// Fills in the options of a new run that were not given. A user who chooses the points of an iteration gets what streams
    /// them, Adam and the one network that was published; one who chooses a network that is too large for a dense matrix,
    /// Adam. Members of an ensemble give each observation a new random weight, so that their spread shows what errors of the
    /// observations do.
    private mutating func fillInDefaults(given: Set<String>) throws {
        if !given.contains("stop") { stop = .flat }
        if ensemble > 1, !given.contains("resampling") { resampling = .bootstrap }
        if !given.contains("stream") {
            stream = TrainingConfiguration.defaultStream
            if !given.contains("network") { try set("network", to: Self.defaultShapes) }
            if !given.contains("optimizer"), networks.parameterCount <= Self.maxDenseMethodParameters {
                try set("optimizer", to: Self.defaultPhases)
            }
            if phases.phases.contains(where: { $0.method is any SamplingOptimizer.Type }) {
                stream = Self.sampledStream
            }
        }
        if !given.contains("iterations") {
            let ofMethod = phases.phases.last?.method is any SamplingOptimizer.Type ? Self.sampledIterations : nil
            iterations = phases.iterations ?? ofMethod ?? min(10_000, max(1000, 10_000_000 / stream.chunk))
        }
    }
}
