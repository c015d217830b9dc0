import Dispatch
import Networks

/// The gradients that runs of tiles are summed in. Tiles are dealt to slots in fixed runs, a slot's tiles are added in
/// order by whichever thread takes the slot, and slots are summed in order: the bits do not depend on the number of threads.
final class GradientSlots {
    private let networks: NetworkGroup
    private let sizes: [Int]
    private let offsets: [Int]
    /// Floats of a slot: the padded parameters of all networks, each from a cache line of its own.
    let floats: Int
    /// Rows of all networks, in the flat gradient and in a slot.
    private let rows: [PackedNetwork.Row]
    private var slots: [UnsafeMutablePointer<Float>] = []

    init(_ networks: NetworkGroup, _ packed: [PackedNetwork]) {
        self.networks = networks
        let sizes = packed.map { GradientSlots.floats($0.padded) }
        let offsets = sizes.indices.map { sizes[..<$0].reduce(0, +) }
        self.sizes = sizes
        self.offsets = offsets
        floats = sizes.reduce(0, +)
        rows = packed.indices.flatMap { number in
            packed[number].rows.joined().map {
                PackedNetwork.Row(
                    place: networks.parameters(of: number) + $0.place,
                    paddedPlace: offsets[number] + $0.paddedPlace, count: $0.count)
            }
        }
    }

    deinit {
        for slot in slots { slot.deallocate() }
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
        while slots.count < count { slots.append(allocateFloats(floats)) }
    }

    /// The gradient of every network in a slot. It holds what an earlier evaluation left there.
    func gradients(of slot: Int) -> [UnsafeMutablePointer<Float>] { offsets.map { slots[slot] + $0 } }

    /// Clears the gradients that no tile of the slot has touched.
    func clear(_ slot: Int, where fresh: [Bool]) {
        for network in sizes.indices where fresh[network] {
            (slots[slot] + offsets[network]).update(repeating: 0, count: sizes[network])
        }
    }

    /// Sums slots in their order, from the padded layout into the flat one.
    func sum(_ count: Int, threads: Int, into gradient: inout [Float]) {
        if gradient.count != networks.parameterCount {
            gradient = [Float](repeating: 0, count: networks.parameterCount)
        }
        let pieces = min(threads, rows.count)
        gradient.withUnsafeMutableBufferPointer { gradient in
            let work = Shared(value: (sum: gradient.baseAddress!, slots: slots, rows: rows))
            DispatchQueue.concurrentPerform(iterations: pieces) { piece in
                let (sum, slots, rows) = work.value
                for row in rows[piece * rows.count / pieces..<(piece + 1) * rows.count / pieces] {
                    let to = sum + row.place
                    to.update(from: slots[0] + row.paddedPlace, count: row.count)
                    for slot in 1..<count {
                        let from = slots[slot] + row.paddedPlace
                        for place in 0..<row.count { to[place] += from[place] }
                    }
                }
            }
        }
    }
}

/// Memory that threads share without overlap: every slot and every tile is written by the one thread that took it.
struct Shared<Value>: @unchecked Sendable {
    let value: Value
}
