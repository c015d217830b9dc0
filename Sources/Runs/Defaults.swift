import Optimizers

/// What a run uses where its user chose nothing, by measurement (docs/accuracy.md).
extension TrainingConfiguration {
    /// Velocity and thickness of a shelf and its viscosity: two small networks, of which a dense quasi-Newton method gets more
    /// in minutes than Adam gets of large ones in hours.
    public static let defaultNetwork = "4x32+4x32"
    /// Adam finds the valley, the other its bottom.
    public static let defaultOptimizer = "\(Adam.name):1000,\(SelfScaledBroyden.name):7000"
    /// Many observations: they cost a sixth of a collocation point, and noise averages out.
    public static let defaultStream = StreamConfiguration(chunk: 1024, data: 2048)
    /// The dense matrix of so many parameters takes 0.6 GB.
    static let maxDenseMethodParameters = 12_000

    /// Fills in the options that were not given. A user who chooses the points of an iteration gets what streams them, Adam
    /// and the one network that was published; one who chooses a network that is too large for a dense matrix, Adam. Members of an ensemble weigh the
    /// observations anew, so that their spread tells what errors of the observations do. A user who says how many iterations gets
    /// them.
    public mutating func fillInDefaults(given: Set<String>) throws {
        if !given.contains("stop"), !given.contains("iterations") { stop = .flat }
        if ensemble > 1, !given.contains("resampling") { resampling = .bootstrap }
        guard !given.contains("stream") else { return }
        stream = TrainingConfiguration.defaultStream
        if !given.contains("network") { network = TrainingConfiguration.defaultNetwork }
        if !given.contains("optimizer"), try networks().parameterCount <= TrainingConfiguration.maxDenseMethodParameters
        {
            optimizer = TrainingConfiguration.defaultOptimizer
        }
    }
}
