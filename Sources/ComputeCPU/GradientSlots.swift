import Networks
import Threads

/// Partial gradients, each the sum over a run of tiles. Tiles are assigned to slots in fixed runs, a slot's tiles are added in
/// order by whichever thread takes the slot, and slots are summed in order: the bits do not depend on the number of threads.
final class GradientSlots {
    private let networks: NetworkGroup
    private let offsets: [Int]
    /// Floats of a slot: the padded parameters of all networks, each aligned to a cache line.
    let floats: Int
    /// Rows of all networks, in the flat gradient and in a slot.
    private let rows: [(network: Int, row: PackedNetwork.Row)]
    private var slots: [UnsafeMutablePointer<Float>] = []
    /// For every slot, whether none of its tiles has added to a network yet: what it holds is from an earlier evaluation.
    private var untouched: [UnsafeMutablePointer<Bool>] = []

    /// - Parameter packed: the networks of all subdomains, one subdomain after the other.
    init(_ networks: NetworkGroup, _ packed: [PackedNetwork]) {
        self.networks = networks
        let sizes = packed.map { GradientSlots.floats($0.padded) }
        let offsets = sizes.indices.map { sizes[..<$0].reduce(0, +) }
        self.offsets = offsets
        floats = sizes.reduce(0, +)
        rows = packed.indices.flatMap { number in
            let (subdomain, network) = number.quotientAndRemainder(dividingBy: networks.networks.count)
            let place = networks.parameters(of: network, in: subdomain)
            return packed[number].rows.joined().map {
                (
                    number,
                    PackedNetwork.Row(
                        place: place + $0.place, paddedPlace: offsets[number] + $0.paddedPlace, count: $0.count)
                )
            }
        }
    }

    deinit {
        for slot in slots { slot.deallocate() }
        for flags in untouched { flags.deallocate() }
    }

    static func floats(_ padded: Perceptron) -> Int { (padded.parameterCount + 15) / 16 * 16 }

    /// The tiles of every slot. Summing a slot in the end costs a fortieth of a tile's work, so slots are large, and the last
    /// ones small so that threads end together. At most 24 MB of slots, but at least 8 slots: networks for which these are large are
    /// rare.
    static func deal(tiles: Int, floats: Int) -> [Range<Int>] {
        let maxSlots = max(8, (24 << 20) / (4 * floats))
        var largest = max(4, min(8, tiles / 16), tiles / 48)
        var runs = decreasing(tiles, largest: largest)
        while runs.count > maxSlots {
            guard largest < tiles else {
                return (0..<maxSlots).map { $0 * tiles / maxSlots..<($0 + 1) * tiles / maxSlots }
            }
            largest = min(tiles, largest * 5 / 4)
            runs = decreasing(tiles, largest: largest)
        }
        // Without tiles, one empty slot gives the gradient, zero.
        return runs.isEmpty ? [0..<0] : runs
    }

    /// Runs of tiles, each of the largest size or a quarter of the remaining tiles, whichever is less.
    private static func decreasing(_ tiles: Int, largest: Int) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        var begin = 0
        while begin < tiles {
            let end = begin + min(largest, max(1, (tiles - begin) / 4))
            runs.append(begin..<end)
            begin = end
        }
        return runs
    }

    var count: Int { slots.count }

    func reserve(_ count: Int) {
        while slots.count < count {
            slots.append(allocateFloats(floats))
            untouched.append(.allocate(capacity: offsets.count))
            untouched[slots.count - 1].initialize(repeating: true, count: offsets.count)
        }
    }

    /// An empty slot: the gradient of every network, and whether no tile has touched it yet.
    func begin(_ slot: Int) -> Slot {
        untouched[slot].update(repeating: true, count: offsets.count)
        return Slot(gradients: offsets.map { slots[slot] + $0 }, untouched: untouched[slot])
    }

    struct Slot {
        /// One per network, in the layout of its padded parameters.
        let gradients: [UnsafeMutablePointer<Float>]
        /// The first tile sets a gradient instead of adding to it, which saves clearing it before.
        let untouched: UnsafeMutablePointer<Bool>
    }

    /// Sums the slots in order, from the padded layout into the flat one.
    func sum(_ count: Int, threads: Int, into gradient: inout [Float]) {
        if gradient.count != networks.parameterCount {
            gradient = [Float](repeating: 0, count: networks.parameterCount)
        }
        let pieces = min(threads, rows.count)
        gradient.withUnsafeMutableBufferPointer { gradient in
            let work = Shared(
                value: (sum: gradient.baseAddress!, slots: slots, untouched: untouched, rows: rows))
            ThreadTeam.computing.perform(iterations: pieces) { piece in
                let (sum, slots, untouched, rows) = work.value
                for (network, row) in rows[piece * rows.count / pieces..<(piece + 1) * rows.count / pieces] {
                    let to = sum + row.place
                    var isFirst = true
                    for slot in 0..<count where !untouched[slot][network] {
                        let from = slots[slot] + row.paddedPlace
                        if isFirst {
                            to.update(from: from, count: row.count)
                        } else {
                            for place in 0..<row.count { to[place] += from[place] }
                        }
                        isFirst = false
                    }
                    if isFirst { to.update(repeating: 0, count: row.count) }
                }
            }
        }
    }
}

/// Memory that threads share: every slot and every tile is written by the one thread that took it.
struct Shared<Value>: @unchecked Sendable {
    let value: Value
}
