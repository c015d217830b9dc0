/// Which chunk of the stream.
public enum ChunkNumber: Hashable, Sendable {
    /// The chunk of an iteration that takes new points.
    case streamed(iteration: Int)
    /// Part `part` of the `parts` of a batch that stays the same from iteration `since` on.
    case fixed(part: Int, of: Int, since: Int)
}

/// Which points are asked of the stream. A set that is left out is neither read nor checked.
public struct ChunkRequest: Hashable, Sendable {
    public let number: ChunkNumber
    /// nil: all sets of the stream.
    public let sets: Set<PointSet>?

    public init(_ number: ChunkNumber, sets: Set<PointSet>? = nil) {
        self.number = number
        self.sets = sets
    }
}
