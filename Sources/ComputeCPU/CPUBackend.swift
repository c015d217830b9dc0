import CKernels
import Compute
import Dispatch
import Networks
import Pointwise
import Synchronization

/// Tiles of points on all cores, products by OpenBLAS.
///
/// Tiles are dealt to a fixed number of gradient slots, a slot's tiles are added in order by whichever thread takes the
/// slot, and slots are summed in order: the bits of a gradient do not depend on the number of threads.
public final class CPUBackend: Backend {
    public let workload: Workload
    public let threads: Int
    private let kernels: TileKernels
    private let packed: [PackedNetwork]
    /// Where the gradient of each network begins in a slot.
    private let offsets: [Int]
    private let slotSize: Int
    /// Rows of all networks, in the flat gradient and in a slot.
    private let rows: [PackedNetwork.Row]
    private let workspaces: [TileWorkspace]
    private var slotGradients: [UnsafeMutablePointer<Float>] = []

    /// Gradient slots for so many tiles: as many as a node has cores where there is work for them, few where clearing
    /// and summing them would show beside a step (two percent with 16 slots for 1,024 points), and no more than 32 MB, but
    /// for a minimum of 8: networks for which that is much are rare, and so are their points.
    static func slots(tiles: Int, floats: Int) -> Int {
        let most = min(64, max(8, (32 << 20) / (4 * floats)))
        return min(most, max(tiles / 4, min(tiles, 8), 1))
    }

    /// Cores that this process may run on: what the machine, a Slurm job or taskset leaves it.
    public static var availableCores: Int { Int(available_cores()) }

    /// - Parameters:
    ///   - threads: nil: all cores that the process may use.
    ///   - kernels: nil: the fastest that the processor runs.
    public init(_ workload: Workload, threads: Int? = nil, kernels: TileKernels? = nil) {
        _ = BLAS.configured
        self.workload = workload
        self.threads = max(1, threads ?? CPUBackend.availableCores)
        let kernels = kernels ?? TileKernels.available[0]
        self.kernels = kernels
        let packed = workload.networks.networks.map { PackedNetwork($0, kernels) }
        self.packed = packed
        // Whole cache lines, so that no two networks share one.
        let sizes = packed.map { ($0.padded.parameterCount + 15) / 16 * 16 }
        offsets = sizes.indices.map { sizes[..<$0].reduce(0, +) }
        slotSize = sizes.reduce(0, +)
        let offsets = offsets
        rows = packed.indices.flatMap { number in
            packed[number].rows.map {
                PackedNetwork.Row(
                    place: workload.networks.parameters(of: number) + $0.place,
                    paddedPlace: offsets[number] + $0.paddedPlace, count: $0.count)
            }
        }
        workspaces = (0..<self.threads).map { _ in TileWorkspace(workload, packed, programs: workload.programs) }
    }

    deinit {
        for gradient in slotGradients { gradient.deallocate() }
    }

    /// Gradient slots that evaluations have needed so far.
    public var slotCount: Int { slotGradients.count }

    public var parallelism: String { "\(threads) thread\(threads == 1 ? "" : "s")" }

    public var summary: String {
        "CPU, \(kernels.name), \(BLAS.name), tiles of \(TileWorkspace.rows) rows"
    }

    /// A run of points of one batch.
    private struct Tile {
        let program: Int
        let start: Int
        let count: Int
    }

    private static func tiles(_ programs: [PointProgram], counts: [Int]) -> [Tile] {
        var tiles: [Tile] = []
        for (number, program) in programs.enumerated() {
            let size = TileWorkspace.points(program.derivatives)
            for start in stride(from: 0, to: counts[number], by: size) {
                tiles.append(Tile(program: number, start: start, count: min(size, counts[number] - start)))
            }
        }
        return tiles
    }

    public func squaredResiduals(
        parameters: [Float], batches: [PointBatch], coefficients: [[Double]], gradient: inout [Float]
    ) throws -> ResidualSums {
        let programs = workload.programs
        precondition(batches.count == programs.count && coefficients.count == programs.count)
        precondition(parameters.count == workload.networks.parameterCount)
        let tiles = CPUBackend.tiles(programs, counts: batches.map(\.count))
        let slots = CPUBackend.slots(tiles: tiles.count, floats: slotSize)
        reserve(slots: slots)

        // Sums of every slot: (slots, outputs of all programs).
        let outputOffsets = programs.reduce(into: [0]) { $0.append($0.last! + $1.program.outputs.count) }
        let outputCount = outputOffsets.last!
        let sums = UnsafeMutablePointer<Double>.allocate(capacity: slots * outputCount)
        sums.initialize(repeating: 0, count: slots * outputCount)
        defer { sums.deallocate() }

        load(parameters)
        let size = slotSize
        let offsets = offsets
        withColumns(of: batches) { columns in
            let work = Shared(
                value: (workspaces: workspaces, gradients: slotGradients, columns: columns, sums: sums))
            let nextSlot = Atomic<Int>(0)
            DispatchQueue.concurrentPerform(iterations: min(threads, slots)) { thread in
                let (workspaces, gradients, columns, sums) = work.value
                while true {
                    let slot = nextSlot.add(1, ordering: .relaxed).oldValue
                    guard slot < slots else { return }
                    gradients[slot].update(repeating: 0, count: size)
                    let parts = offsets.map { gradients[slot] + $0 }
                    for tile in tiles[slot * tiles.count / slots..<(slot + 1) * tiles.count / slots] {
                        let here = columns[tile.program].map { $0 + tile.start }
                        workspaces[thread].forward(tile.program, here, count: tile.count)
                        workspaces[thread].adjoint(
                            tile.program, here, count: tile.count, coefficients: coefficients[tile.program],
                            sums: sums + slot * outputCount + outputOffsets[tile.program], gradients: parts)
                    }
                }
            }
        }
        sumSlots(slots, into: &gradient)
        return programs.indices.map { number in
            (outputOffsets[number]..<outputOffsets[number + 1]).map { output in
                (0..<slots).reduce(0.0) { $0 + sums[$1 * outputCount + output] }
            }
        }
    }

    public func outputs(of program: PointProgram, parameters: [Float], at points: PointBatch) throws -> [[Float]] {
        let outputs = program.program.outputs.count
        let count = points.count
        let results = UnsafeMutablePointer<Float>.allocate(capacity: max(outputs * count, 1))
        defer { results.deallocate() }
        let tiles = CPUBackend.tiles([program], counts: [count])
        load(parameters)
        let workspaces = (0..<min(threads, max(tiles.count, 1))).map { _ in
            TileWorkspace(workload, packed, programs: [program])
        }
        withColumns(of: [points]) { columns in
            let work = Shared(value: (workspaces: workspaces, columns: columns[0], results: results))
            let nextTile = Atomic<Int>(0)
            DispatchQueue.concurrentPerform(iterations: workspaces.count) { thread in
                let (workspaces, columns, results) = work.value
                while true {
                    let number = nextTile.add(1, ordering: .relaxed).oldValue
                    guard number < tiles.count else { return }
                    let tile = tiles[number]
                    workspaces[thread].forward(0, columns.map { $0 + tile.start }, count: tile.count)
                    for output in 0..<outputs {
                        (results + output * count + tile.start).update(
                            from: workspaces[thread].output(output, of: 0), count: tile.count)
                    }
                }
            }
        }
        return (0..<outputs).map { Array(UnsafeBufferPointer(start: results + $0 * count, count: count)) }
    }

    // MARK: inside

    /// Memory that threads share without overlap: every slot and every tile is written by the one thread that took it.
    private struct Shared<Value>: @unchecked Sendable {
        let value: Value
    }

    private func reserve(slots: Int) {
        while slotGradients.count < slots {
            slotGradients.append(allocateFloats(slotSize))
        }
    }

    private func load(_ parameters: [Float]) {
        parameters.withUnsafeBufferPointer { flat in
            for (number, network) in packed.enumerated() {
                network.load(flat.baseAddress! + workload.networks.parameters(of: number))
            }
        }
    }

    /// Sums the slots in their order, from the padded layout into the flat one.
    private func sumSlots(_ slots: Int, into gradient: inout [Float]) {
        if gradient.count != workload.networks.parameterCount {
            gradient = [Float](repeating: 0, count: workload.networks.parameterCount)
        }
        let rows = rows
        let pieces = min(threads, rows.count)
        gradient.withUnsafeMutableBufferPointer { gradient in
            let work = Shared(value: (sum: gradient.baseAddress!, gradients: slotGradients))
            DispatchQueue.concurrentPerform(iterations: pieces) { piece in
                let (sum, gradients) = work.value
                for row in rows[piece * rows.count / pieces..<(piece + 1) * rows.count / pieces] {
                    let to = sum + row.place
                    to.update(from: gradients[0] + row.paddedPlace, count: row.count)
                    for slot in 1..<slots {
                        let from = gradients[slot] + row.paddedPlace
                        for place in 0..<row.count { to[place] += from[place] }
                    }
                }
            }
        }
    }

    private func withColumns(of batches: [PointBatch], _ body: ([[UnsafePointer<Float>]]) -> Void) {
        func next(_ batch: Int, _ column: Int, _ pointers: [[UnsafePointer<Float>]]) {
            guard batch < batches.count else { return body(pointers) }
            guard column < batches[batch].columns.count else { return next(batch + 1, 0, pointers + [[]]) }
            batches[batch].columns[column].withUnsafeBufferPointer { values in
                var pointers = pointers
                // An empty column has no address, and is never read.
                pointers[batch].append(values.baseAddress ?? UnsafePointer(bitPattern: 64)!)
                next(batch, column + 1, pointers)
            }
        }
        next(0, 0, [[]])
    }
}
