import Fields
import PointStore
import Runs

/// Resampled points chunk by chunk, again and again: in the order in which they were chosen, or in another one each time.
struct ResampledOrder {
    private let points: ResampledPoints
    private let chunks: Int
    private let isShuffled: Bool
    private let seed: UInt64

    init(_ points: ResampledPoints, chunks: Int, isShuffled: Bool, seed: UInt64) {
        self.points = points
        self.chunks = chunks
        self.isShuffled = isShuffled
        self.seed = mixed(mixed(seed, 0x5233), UInt64(points.iteration))
    }

    /// - Parameter number: counted since the points were chosen.
    func columns(ofChunk number: Int) -> [[Float]] {
        let count = points.columns[0].count
        let (pass, place) = number.quotientAndRemainder(dividingBy: chunks)
        let places = place * (count / chunks)..<(place + 1) * (count / chunks)
        guard isShuffled else { return points.columns.map { Array($0[places]) } }
        let shuffled = IndexPermutation(count: count, seed: mixed(seed, UInt64(pass))).indices(at: places)
        return points.columns.map { column in shuffled.map { column[$0] } }
    }
}
