import CSystem
import Compute
import Networks
import Pointwise
import Synchronization
import Threads

/// Tiles of points on all cores: products by the project's own kernels on packed weights, the last layer's by OpenBLAS.
public final class CPUBackend: Backend {
    public let residualProblem: ResidualProblem
    public let threads: Int
    let kernels: TileKernels
    private let precision: Precision
    /// The networks of all subdomains, one subdomain after the other.
    private let packed: [PackedNetwork]
    private let slots: GradientSlots
    let workspaces: [TileWorkspace]
    let shouldStop: @Sendable () -> Bool

    /// Cores that this process may run on, as limited by the machine, a Slurm job or taskset.
    public static var availableCores: Int { Int(available_cores()) }

    /// - Parameters:
    ///   - threads: nil: all cores that the process may use.
    ///   - kernels: nil: the fastest that the processor runs.
    ///   - precision: of the products of hidden layers; the coarser ones show what a GPU would compute.
    ///   - shouldStop: asked before every tile, by all threads; once true, it stays so, and evaluations throw `EvaluationStopped`.
    public init(
        _ residualProblem: ResidualProblem, threads: Int? = nil, kernels: TileKernels? = nil,
        precision: Precision = .fp32, shouldStop: @escaping @Sendable () -> Bool = { false }
    ) {
        _ = BLAS.configured
        self.residualProblem = residualProblem
        self.threads = max(1, threads ?? CPUBackend.availableCores)
        let kernels = kernels ?? TileKernels.available[0]
        self.kernels = kernels
        self.precision = precision
        self.shouldStop = shouldStop
        let packed = PackedNetwork.all(of: residualProblem.networks, kernels, precision)
        self.packed = packed
        slots = GradientSlots(residualProblem.networks, packed)
        workspaces = (0..<self.threads).map { _ in
            TileWorkspace(residualProblem, packed, programs: residualProblem.programs)
        }
    }

    /// The most gradient slots that an evaluation needed so far.
    public var slotCount: Int { slots.count }

    public var parallelism: String { "\(threads) thread\(threads == 1 ? "" : "s")" }

    public var summary: String {
        "CPU, \(kernels.name), \(BLAS.name), tiles of \(TileWorkspace.rows) rows"
            + (precision == .fp32 ? "" : ", products of \(precision.rawValue)")
    }

    /// A run of points of one zone of a batch.
    struct Tile {
        let program: Int
        let zone: Int
        let start: Int
        let count: Int
    }

    static func tiles(_ programs: [PointProgram], _ batches: [ZonedBatch]) -> [Tile] {
        var tiles: [Tile] = []
        for (number, program) in programs.enumerated() {
            let size = TileWorkspace.points(program.derivatives)
            for (zone, points) in batches[number].zones.enumerated() {
                for start in stride(from: points.lowerBound, to: points.upperBound, by: size) {
                    tiles.append(
                        Tile(
                            program: number, zone: zone, start: start, count: min(size, points.upperBound - start)))
                }
            }
        }
        return tiles
    }

    public func squaredResiduals(
        parameters: [Float], batches: [PointBatch], coefficients: [[Double]], gradient: inout [Float]
    ) throws -> ResidualSums {
        let programs = residualProblem.programs
        precondition(batches.count == programs.count && coefficients.count == programs.count)
        precondition(parameters.count == residualProblem.networks.parameterCount)
        let batches = batches.map { ZonedBatch($0, residualProblem.networks.decomposition) }
        let tiles = CPUBackend.tiles(programs, batches)
        let runs = GradientSlots.deal(tiles: tiles.count, floats: slots.floats)
        slots.reserve(runs.count)

        // Sums of every slot: (slots, outputs of all programs).
        let outputOffsets = programs.reduce(into: [0]) { $0.append($0.last! + $1.program.outputs.count) }
        let outputCount = outputOffsets.last!
        let sums = UnsafeMutablePointer<Double>.allocate(capacity: runs.count * outputCount)
        sums.initialize(repeating: 0, count: runs.count * outputCount)
        defer { sums.deallocate() }

        load(parameters)
        withColumns(of: batches.map(\.batch)) { columns in
            let work = Shared(
                value: (workspaces: workspaces, slots: slots, columns: columns, sums: sums))
            let nextSlot = Atomic<Int>(0)
            ThreadTeam.computing.perform(iterations: min(threads, runs.count)) { [shouldStop] thread in
                let (workspaces, slots, columns, sums) = work.value
                while true {
                    let slot = nextSlot.add(1, ordering: .relaxed).oldValue
                    guard slot < runs.count else { return }
                    let gradients = slots.begin(slot)
                    for tile in tiles[runs[slot]] {
                        if shouldStop() { return }
                        let here = columns[tile.program].map { $0 + tile.start }
                        workspaces[thread].forward(tile.program, here, zone: tile.zone, count: tile.count)
                        workspaces[thread].adjoint(
                            tile.program, zone: tile.zone, count: tile.count,
                            coefficients: coefficients[tile.program],
                            sums: sums + slot * outputCount + outputOffsets[tile.program], slot: gradients)
                    }
                }
            }
        }
        if shouldStop() { throw EvaluationStopped() }
        slots.sum(runs.count, threads: threads, into: &gradient)
        return programs.indices.map { number in
            (outputOffsets[number]..<outputOffsets[number + 1]).map { output in
                runs.indices.reduce(0.0) { $0 + sums[$1 * outputCount + output] }
            }
        }
    }

    public func outputs(of program: PointProgram, parameters: [Float], at points: PointBatch) throws -> [[Float]] {
        let outputs = program.program.outputs.count
        let count = points.count
        let results = UnsafeMutablePointer<Float>.allocate(capacity: max(outputs * count, 1))
        defer { results.deallocate() }
        let batch = ZonedBatch(points, residualProblem.networks.decomposition)
        let tiles = CPUBackend.tiles([program], [batch])
        load(parameters)
        let workspaces = (0..<min(threads, max(tiles.count, 1))).map { _ in
            TileWorkspace(residualProblem, packed, programs: [program])
        }
        withColumns(of: [batch.batch]) { columns in
            let work = Shared(value: (workspaces: workspaces, columns: columns[0], results: results, batch: batch))
            let nextTile = Atomic<Int>(0)
            ThreadTeam.computing.perform(iterations: workspaces.count) { [shouldStop] thread in
                let (workspaces, columns, results, batch) = work.value
                while true {
                    let number = nextTile.add(1, ordering: .relaxed).oldValue
                    guard number < tiles.count, !shouldStop() else { return }
                    let tile = tiles[number]
                    workspaces[thread].forward(
                        0, columns.map { $0 + tile.start }, zone: tile.zone, count: tile.count)
                    for output in 0..<outputs {
                        batch.scatter(
                            workspaces[thread].output(output, of: 0), of: tile.start..<tile.start + tile.count,
                            into: results + output * count)
                    }
                }
            }
        }
        if shouldStop() { throw EvaluationStopped() }
        return (0..<outputs).map { Array(UnsafeBufferPointer(start: results + $0 * count, count: count)) }
    }

    // MARK: inside, for the Jacobian too

    func load(_ parameters: [Float]) {
        PackedNetwork.load(parameters, into: packed, of: residualProblem.networks, threads: threads)
    }

    func withColumns(of batches: [PointBatch], _ body: ([[UnsafePointer<Float>]]) -> Void) {
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
