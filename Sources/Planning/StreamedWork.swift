import Compute
import Objective
import PointStore
import Pointwise

/// The points that an iteration of a streamed run visits, and what they cost.
public struct StreamedWork: Sendable, Equatable {
    /// Collocation points of an iteration.
    public let collocation: Int
    /// Points of the other sets.
    public let others: Int
    /// Collocation points that would cost as much as all sets together: the cost is proportional to weights times channels, six
    /// for second derivatives, three at the front, one for the value alone.
    public let equivalent: Double

    public init(_ objective: Objective, sizes: [PointSet: Int]) {
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
        equivalent = costs.reduce(0) { $0 + Double($1.0) * $1.1 / one }
    }
}
