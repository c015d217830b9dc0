import Fields
import PointStore
import Runs

/// Drawn points chunk by chunk, again and again: as they were drawn, or in an order of its own each time.
struct DrawnOrder {
    private let points: DrawnPoints
    private let chunks: Int
    private let first: Int
    private let isShuffled: Bool
    private let seed: UInt64

    /// - Parameter first: number of the first chunk.
    init(_ points: DrawnPoints, chunks: Int, first: Int, isShuffled: Bool, seed: UInt64) {
        self.points = points
        self.chunks = chunks
        self.first = first
        self.isShuffled = isShuffled
        self.seed = mixed(mixed(seed, 0x5233), UInt64(points.iteration))
    }

    func columns(ofChunk number: Int) -> [[Float]] {
        let count = points.columns[0].count
        let (pass, place) = (number - first).quotientAndRemainder(dividingBy: chunks)
        let places = place * (count / chunks)..<(place + 1) * (count / chunks)
        guard isShuffled else { return points.columns.map { Array($0[places]) } }
        let shuffled = IndexPermutation(count: count, seed: mixed(seed, UInt64(pass))).indices(at: places)
        return points.columns.map { column in shuffled.map { column[$0] } }
    }
}
