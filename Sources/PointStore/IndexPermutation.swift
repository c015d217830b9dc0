import Fields

/// A pseudo-random one-to-one map of 0..<count onto itself, computed index by index from a seed: a shuffle that needs
/// no memory and no second pass over a file, whatever the count.
///
/// A Feistel network over the next power of four, walked until it falls below count (Black & Rogaway 2002, "Ciphers with
/// arbitrary finite domains"); the domain is less than four times the count, so a walk takes under four steps on average.
public struct IndexPermutation: Sendable {
    public let count: Int
    private let halfBits: UInt64
    private let keys: (UInt64, UInt64, UInt64, UInt64)

    public init(count: Int, seed: UInt64) {
        precondition(count > 0)
        self.count = count
        let bits = UInt64(max(2, Int.bitWidth - (count - 1).leadingZeroBitCount))
        halfBits = (bits + 1) / 2
        keys = (mixed(seed, 1), mixed(seed, 2), mixed(seed, 3), mixed(seed, 4))
    }

    /// The index that stands at a place of the shuffled order.
    public subscript(place: Int) -> Int {
        precondition(place >= 0 && place < count)
        var index = UInt64(place)
        repeat { index = feistel(index) } while index >= UInt64(count)
        return Int(index)
    }

    /// The indices that stand at a run of places, as the subscript gives them but several times as fast: all places take a step
    /// together, and those that fell outside take another. These steps are independent, so the processor overlaps them; the
    /// length of a single walk it cannot predict.
    public func indices(at places: Range<Int>) -> [Int] {
        precondition(places.lowerBound >= 0 && places.upperBound <= count)
        var indices = places.map { Int(feistel(UInt64($0))) }
        var walking = Array(indices.indices)
        var walkers = walking.count
        while true {
            var left = 0
            for number in 0..<walkers {
                let place = walking[number]
                walking[left] = place
                left += indices[place] >= count ? 1 : 0
            }
            walkers = left
            if walkers == 0 { return indices }
            for number in 0..<walkers {
                let place = walking[number]
                indices[place] = Int(feistel(UInt64(indices[place])))
            }
        }
    }

    @inline(__always)
    private func feistel(_ value: UInt64) -> UInt64 {
        let mask = (UInt64(1) << halfBits) - 1
        var left = value >> halfBits
        var right = value & mask
        (left, right) = (right, left ^ (mixed(keys.0, right) & mask))
        (left, right) = (right, left ^ (mixed(keys.1, right) & mask))
        (left, right) = (right, left ^ (mixed(keys.2, right) & mask))
        (left, right) = (right, left ^ (mixed(keys.3, right) & mask))
        return left << halfBits | right
    }
}
