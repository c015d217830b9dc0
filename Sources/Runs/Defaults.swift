import Optimizers

/// What a run uses where its user chose nothing, from measurements (docs/accuracy.md).
extension TrainingConfiguration {
    /// Two small networks, one for velocity and thickness and one for the viscosity: a dense quasi-Newton method gets more of
    /// them in minutes than Adam gets of large ones in hours.
    static let defaultShapes = "4x32+4x32"
    /// Samples of rows lead to where noise is fitted, or to 0.1 to 1.3 % where there is none, in seconds; self-scaled Broyden sees all observations.
    static let defaultPhases = "\(LevenbergMarquardt.name):40,\(SelfScaledBroyden.name):8000"
    /// Observations with less noise than this, as a share of the median speed or thickness, are as good as exact: then samples of
    /// rows get farther than a method that lowers the loss, which corners dominate.
    static let maxNegligibleNoise = 1e-3
    static let noiselessPhases = "\(LevenbergMarquardt.name):360"
    /// Where a prior of the physics decides what data and equations leave open. Its weight is relative to the loss, and by samples of rows, whose
    /// loss corners dominate, it would be too large.
    static let regularizedPhases = "\(Adam.name):1000,\(SelfScaledBroyden.name):7000"
    /// Many observations: they cost a sixth of a collocation point, and noise averages out.
    static let defaultStream = StreamConfiguration(chunk: 1024, data: 2048)
    /// Methods that draw rows from an iteration's points find neighbours among many, by which they tell noise from signal. With twice as
    /// many collocation points an iteration of self-scaled Broyden's method takes longer and gets less far.
    static let sampledStream = StreamConfiguration(chunk: 8192, data: 32_768, front: 2048, sample: 8192)
    /// Where observations have no noise: samples of rows alone gain from more points to draw from.
    static let noiselessStream = StreamConfiguration(chunk: 16_384, data: 32_768)
    /// Of such a method, where none are given: without noise the viscosity's error falls to 0.1 % on one shelf and 0.9 % on another.
    static let sampledIterations = 60
    /// The prior that weights are normally distributed, each with a variance of 1/4.
    static let defaultWeightDecay = 4.0
    /// The dense matrix of so many parameters takes 0.3 GB.
    static let maxDenseMethodParameters = 12_000

    /// The configuration of a run.
    ///
    /// - Parameters:
    ///   - given: options by name, as text.
    ///   - saved: that of the run that is resumed, which they change.
    ///   - noise: of the observations in the store of that path, as a share of the median speed or thickness; asked where the choice of
    ///     an optimizer depends on it, and nil where it is not known.
    public init(
        _ given: [String: String], resuming saved: TrainingConfiguration?,
        noise: (_ store: String) throws -> Double? = { _ in nil }
    ) throws {
        self = saved ?? TrainingConfiguration()
        for (name, text) in given { try set(name, to: text) }
        let given = Set(given.keys)
        if saved == nil {
            try fillInDefaults(given: given)
            // A mistake in an option is told before the store is looked for.
            try validate()
            try adapt(to: noise, given: given)
        }
        // A user who says how many iterations gets them.
        if given.contains("iterations"), !given.contains("stop") { stop = .total }
        try validate()
    }

    /// Fills in the options of a new run that were not given. A user who chooses the points of an iteration gets the one
    /// network that was published. Members of an ensemble give each observation a new random weight, so that their spread shows what
    /// errors of the observations do.
    private mutating func fillInDefaults(given: Set<String>) throws {
        if !given.contains("stop") { stop = .flat }
        if ensemble > 1, !given.contains("resampling") { resampling = .bootstrap }
        if !given.contains("weight-decay") { weights.decay = Self.defaultWeightDecay }
        let streams = given.contains("stream")
        if !streams, !given.contains("network") { try set("network", to: Self.defaultShapes) }
        if !given.contains("optimizer") { try set("optimizer", to: defaultOptimizer(streams: streams)) }
        let isSampling = { (phase: OptimizerPhases.Phase) in phase.method is any SamplingOptimizer.Type }
        if !streams { stream = phases.phases.contains(where: isSampling) ? Self.sampledStream : Self.defaultStream }
        if !given.contains("iterations") {
            let ofMethod = phases.phases.last.map(isSampling) == true ? Self.sampledIterations : nil
            iterations = phases.iterations ?? ofMethod ?? min(10_000, max(1000, 10_000_000 / stream.chunk))
        }
    }

    /// Samples of rows; then self-scaled Broyden's method, which sees all observations, if a dense matrix has room and all iterations have
    /// the same points.
    private func defaultOptimizer(streams: Bool) -> String {
        let isDense = !streams && networks.parameterCount <= Self.maxDenseMethodParameters
        let isRegularized = model.prior != nil && weights.prior > 0
        if isDense { return isRegularized ? Self.regularizedPhases : Self.defaultPhases }
        return isRegularized ? Adam.name : LevenbergMarquardt.name
    }

    /// Where observations have no noise, samples of rows alone.
    private mutating func adapt(to noise: (String) throws -> Double?, given: Set<String>) throws {
        guard !given.contains("optimizer"), phases.description == Self.defaultPhases,
            let share = try noise(store), share <= Self.maxNegligibleNoise
        else { return }
        try set("optimizer", to: Self.noiselessPhases)
        if !given.contains("iterations"), let own = phases.iterations { iterations = own }
        if !given.contains("stream") { stream = Self.noiselessStream }
    }
}
