/// Which points of the stream a chunk has.
public enum ChunkNumber: Hashable, Sendable {
    /// Those of an iteration that goes on to new points.
    case passing(Int)
    /// Part `part` of the `parts` of a sample that is kept since an iteration.
    case kept(part: Int, of: Int, since: Int)
}
