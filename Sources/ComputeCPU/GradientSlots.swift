import Dispatch
import Networks

/// The gradients that runs of tiles are summed in. Tiles are dealt to slots in fixed runs, a slot's tiles are added in
/// order by whichever thread takes the slot, and slots are summed in order: the bits do not depend on the number of threads.
final class GradientSlots {
    private let networks: NetworkGroup
    private let offsets: [Int]
    /// Floats of a slot: the padded parameters of all networks, each from a cache line of its own.
    let floats: Int
    /// Rows of all networks, in the flat gradient and in a slot.
    private let rows: [(network: Int, row: PackedNetwork.Row)]
    private var slots: [UnsafeMutablePointer<Float>] = []
    /// For every slot, the networks that none of its tiles has touched: what they hold is from an earlier evaluation.
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

    /// The tiles of every slot. A slot must be summed in the end, which costs a fortieth of a tile's work; so slots are large,
    /// and the last ones small, that threads end together. No more than 24 MB of slots, but for a minimum of 8: networks
    /// for which that is much are rare, and so are their points.
    static func deal(tiles: Int, floats: Int) -> [Range<Int>] {
        let most = max(8, (24 << 20) / (4 * floats))
        var largest = max(4, min(8, tiles / 16), tiles / 48)
        var runs = falling(tiles, largest: largest)
        while runs.count > most {
            guard largest < tiles else { return (0..<most).map { $0 * tiles / most..<($0 + 1) * tiles / most } }
            largest = min(tiles, largest * 5 / 4)
            runs = falling(tiles, largest: largest)
        }
        // Without tiles the gradient is that of an empty slot.
        return runs.isEmpty ? [0..<0] : runs
    }

    /// Runs of tiles, each a quarter of what is left where that is less than the largest.
    private static func falling(_ tiles: Int, largest: Int) -> [Range<Int>] {
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
        /// One a network, as its padded parameters lie.
        let gradients: [UnsafeMutablePointer<Float>]
        /// A gradient that holds nothing yet is to be set: clearing it before would be a pass over memory.
        let untouched: UnsafeMutablePointer<Bool>
    }

    /// Sums slots in their order, from the padded layout into the flat one.
    func sum(_ count: Int, threads: Int, into gradient: inout [Float]) {
        if gradient.count != networks.parameterCount {
            gradient = [Float](repeating: 0, count: networks.parameterCount)
        }
        let pieces = min(threads, rows.count)
        gradient.withUnsafeMutableBufferPointer { gradient in
            let work = Shared(
                value: (sum: gradient.baseAddress!, slots: slots, untouched: untouched, rows: rows))
            DispatchQueue.concurrentPerform(iterations: pieces) { piece in
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

/// Memory that threads share without overlap: every slot and every tile is written by the one thread that took it.
struct Shared<Value>: @unchecked Sendable {
    let value: Value
}
