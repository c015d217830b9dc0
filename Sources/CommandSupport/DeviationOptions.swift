import ArgumentParser

/// Options of the commands that give standard deviations of one trained network.
public struct DeviationOptions: ParsableArguments {
    @Flag(
        help:
            "Standard deviations of the fields of one trained network, from how well data and equations determine its weights: a minute, and 0.6 GB for the default networks. (An ensemble has them anyway.)"
    )
    public var standardDeviations = false
    @Option(
        help: ArgumentHelp(
            "Another --noise-correlation than the run's, for its standard deviations.", valueName: "m|auto"))
    public var noiseCorrelation: String?

    public init() {}

    public func validate() throws {
        if noiseCorrelation != nil, !standardDeviations {
            throw ValidationError("--noise-correlation is for --standard-deviations: give both")
        }
    }

    /// A line of progress, by the share of the work that is done; stops the work where the command is asked to stop.
    public func report() -> (_ share: Double) throws -> Void {
        var progress = Progress("standard deviations", total: 100, unit: "%")
        return { share in
            try StopRequest.check()
            let percent = Int(100 * share)
            if percent < 100 { progress.update(percent) } else { progress.finish(percent) }
        }
    }
}
