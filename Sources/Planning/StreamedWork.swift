import Compute
import Objective
import PointStore
import Pointwise

/// What an iteration of a streamed run visits, and what that costs.
public struct StreamedWork: Sendable, Equatable {
    /// Collocation points of an iteration.
    public let collocation: Int
    /// Points of the other sets.
    public let others: Int
    /// Collocation points that would cost as much as all sets together: cost goes by channels, six where second
    /// derivatives are asked for, three at the front, one where the value is enough.
    public let equivalent: Double

    public init(_ objective: Objective, sizes: [PointSet: Int]) {
        collocation = sizes[.collocation] ?? 0
        others = objective.sets.filter { $0 != .collocation }.reduce(0) { $0 + (sizes[$1] ?? 0) }
        equivalent = zip(objective.sets, objective.workload.programs).reduce(0) { sum, each in
            sum + Double((sizes[each.0] ?? 0) * each.1.derivatives.channelCount)
                / Double(Derivatives.second.channelCount)
        }
    }
}
