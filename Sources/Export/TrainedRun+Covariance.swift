import Compute
import Covariance
import Fields
import Planning

extension TrainedRun {
    /// The covariance of a single network's weights.
    ///
    /// - Parameters:
    ///   - noiseCorrelation: in place of the run's own; nil: that.
    ///   - makeBackend: makes the device for the run's loss, evaluated at so many points, once there is room for these parts too.
    ///   - report: called with the share that is done; cancels the work by throwing.
    public func covariance(
        noiseCorrelation: String?,
        makeBackend: (ResidualProblem, _ points: Int, [MemoryEstimate.Part]) throws -> any Backend,
        report: (_ share: Double) throws -> Void
    ) throws -> WeightCovariance {
        try requireCovariance()
        var checkpoint = checkpoint
        if let noiseCorrelation { try checkpoint.configuration.set("noise-correlation", to: noiseCorrelation) }
        let objective = checkpoint.configuration.objective(for: store.description)
        let observations = objective.sets.map(store.count).max() ?? 0
        let parts = WeightCovariance.memory(objective.residualProblem, observations: observations).map {
            MemoryEstimate.Part(name: $0.name, bytes: $0.bytes, remedy: "to leave out --standard-deviations")
        }
        let points = checkpoint.configuration.stream.sizes.values.max() ?? 0
        let backend = try makeBackend(objective.residualProblem, max(points, 1 << 16), parts)
        return try WeightCovariance(of: checkpoint, objective, store: store, backend: backend, report: report)
    }

    /// What a user of standard deviations should know of a run that has not come to its end, or whose loss was still falling; nil of others.
    /// Laplace's approximation is that around the loss's minimum.
    public var noteOnDeviations: String? {
        let cause: String
        if !checkpoint.hasEnded {
            cause = "the run was stopped at iteration \(checkpoint.iteration) of \(checkpoint.configuration.iterations)"
        } else if isLossFalling {
            cause = "the loss fell to less than half in the second half of the run"
        } else {
            return nil
        }
        return
            "\(cause); standard deviations do not know how far it is from where it would end, and may be much too small (pinn-train --resume with more --iterations continues it)"
    }

    /// Whether the loss has halved in the second half of the iterations, by medians of a tenth of them: chunks differ.
    private var isLossFalling: Bool {
        let losses = checkpoint.history.totals
        let tenth = max(1, losses.count / 10)
        guard losses.count > 1 else { return true }
        func median(_ part: ArraySlice<Double>) -> Double { part.sorted()[part.count / 2] }
        let middle = losses.count / 2
        return median(losses[middle..<min(middle + tenth, losses.count)]) > 2 * median(losses.suffix(tenth))
    }

    /// Throws where the run is none of which there can be a covariance.
    public func requireCovariance() throws {
        guard members.count == 1 else {
            throw PlainFailure(
                .usage,
                "--standard-deviations: the run is an ensemble, whose members give the standard deviations; leave the option out"
            )
        }
        let count = members[0].count
        guard count <= WeightCovariance.maxParameterCount else {
            throw PlainFailure(
                .usage,
                "--standard-deviations: the run's networks have \(count) weights, and at most \(WeightCovariance.maxParameterCount) are possible; train with the default --network, or an --ensemble, which has its standard deviations from its members"
            )
        }
    }
}

extension Prediction {
    /// What standard deviations of one network take besides the device and `byteCount`.
    public static func memoryOfDeviations(_ problem: ResidualProblem, points: Int) -> MemoryEstimate.Part {
        .init(
            name: "standard deviations", bytes: WeightCovariance.memoryOfDeviations(problem, points: points),
            remedy: "fewer fields")
    }
}
