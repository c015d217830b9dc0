import Compute
import Objective
import Optimizers
import PointStore
import Pointwise
import Runs

/// The points that an iteration of a streamed run visits, and what they cost.
public struct StreamedWork: Sendable, Equatable {
    /// Collocation points of an iteration.
    public let collocation: Int
    /// Points of the other sets.
    public let others: Int
    /// Collocation points whose gradient would cost as much as an iteration, in the mean over the run: the cost is proportional to weights times channels, six
    /// for second derivatives, three at the front, one for the value alone.
    public let equivalent: Double

    /// - Parameter sizes: points of a chunk.
    public init(_ objective: Objective, sizes: [PointSet: Int], _ configuration: TrainingConfiguration) {
        collocation = sizes[.collocation] ?? 0
        others = objective.sets.filter { $0 != .collocation }.reduce(0) { $0 + (sizes[$1] ?? 0) }
        let networks = objective.residualProblem.networks
        func cost(_ program: PointProgram) -> Double {
            networks.networks.enumerated().reduce(0) { sum, network in
                let derivatives = program.program.derivatives(ofOutputs: networks.outputs(of: network.offset))
                return sum + Double((derivatives?.channelCount ?? 0) * network.element.parameterCount)
            }
        }
        let costs = zip(objective.sets, objective.residualProblem.programs).map { (sizes[$0] ?? 0, cost($1)) }
        let one = costs.map(\.1).max() ?? 1
        let all = costs.reduce(0) { $0 + Double($1.0) * $1.1 / one }
        equivalent = StreamedWork.mean(over: configuration) { method in
            guard let sampling = method as? any SamplingOptimizer.Type else {
                return method.requiresFixedBatch ? all * Double(configuration.stream.sampleChunks) : all
            }
            // A gradient is 36 operations for each weight and point; such a method evaluates the points, forward only, and makes
            // four products of its rows with each other, in double.
            let rows = Double(sampling.rows)
            return all / 3 + 4 * 2 * rows * rows / 36
        }
    }

    /// The mean of a cost over the iterations of a run.
    private static func mean(
        over configuration: TrainingConfiguration, _ cost: (any Optimizer.Type) -> Double
    ) -> Double {
        let phases = configuration.phasesReached
        let ends = phases.dropFirst().map(\.start) + [max(configuration.iterations, 1)]
        let sum = zip(phases, ends).reduce(0) { $0 + cost($1.0.method) * Double($1.1 - $1.0.start) }
        return sum / Double(max(configuration.iterations, 1))
    }
}
