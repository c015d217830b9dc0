/// Collocation points that were drawn by their residuals, as a checkpoint holds them.
public struct ResampledPoints: Sendable, Equatable {
    /// The iteration at whose beginning they were drawn.
    public var iteration: Int
    /// One array a column, in the order of `PointSet.columns`.
    public var columns: [[Float]]

    public init(iteration: Int, columns: [[Float]]) {
        self.iteration = iteration
        self.columns = columns
    }
}
