import CKernels
import Compute
import Networks

/// What a CPU backend allocates, from the shapes of its buffers. To be kept in step with PackedNetwork, NetworkTile, SubdomainTile, TileWorkspace, ZonedBatch, ProgramTile or GradientSlots.
///
/// Letters as in NetworkTile: R rows of a tile, W the padded width, L hidden layers, O outputs.
extension CPUBackend {
    /// Bytes by purpose.
    ///
    /// - Parameters:
    ///   - counts: points of a chunk for each program of the residual problem.
    ///   - threads: nil: all cores that the process may use.
    public static func memory(_ residualProblem: ResidualProblem, counts: [Int], threads: Int?) -> [(
        name: String, bytes: Int
    )] {
        let threads = max(1, threads ?? availableCores)
        let kernels = TileKernels.available[0]
        let decomposition = residualProblem.networks.decomposition
        let fullTiles = zip(residualProblem.programs, counts).reduce(0) { sum, each in
            let points = TileWorkspace.points(each.0.derivatives)
            return sum + (each.1 + points - 1) / points
        }
        // Every zone of a set may end with a tile that is not full.
        let tiles = fullTiles + counts.reduce(0) { $0 + min($1, decomposition.zoneCount - 1) }
        var packed = 0
        var slotFloats = 0
        var stacks = 0
        for network in residualProblem.networks.networks {
            let padded = kernels.padded(network)
            let (layers, width) = (padded.hiddenLayers, padded.width)
            // Parameters, two packings of every hidden layer, (W, W) forward and transposed, and frequencies.
            packed += decomposition.count * (padded.parameterCount + 2 * layers * width * width + 3 * width)
            slotFloats += decomposition.count * GradientSlots.floats(padded)
            // z (L, R, W); a, bar, barBelow and features (R, W), rows a stride apart; outputs and their adjoints (R, O); for each
            // subdomain that can cover a tile. OpenBLAS packs both sides of the last layer's product, (R, W) and (W, O), into
            // buffers of its own.
            let rows = TileWorkspace.rows + kernels.table.pointee.block_rows
            let stackCount = layers + (network.fourier == nil ? 3 : 4)
            stacks +=
                decomposition.maxOverlap * rows * (tile_stride(width) * stackCount + 2 * padded.outputs)
                + rows * width + width * padded.outputs
            // Sums over subdomains, and their adjoints.
            stacks += decomposition.maxOverlap > 1 ? 2 * rows * padded.outputs : 0
        }
        // Coordinates and windows.
        stacks +=
            decomposition.maxOverlap
            * (2 * TileWorkspace.rows + SubdomainTile.windowFloats(decomposition, rows: TileWorkspace.rows))
        // Values and adjoints of every slot of a program.
        let lanes = residualProblem.programs.reduce(0) {
            $0 + 2 * $1.program.slotCount * (TileWorkspace.points($1.derivatives) + ProgramTile.Lanes.scalarCount)
        }
        // The list of tiles: four words each, in an array that doubles as it grows.
        let list = 2 * 4 * 8 * tiles
        let gathered = zip(residualProblem.programs, counts).reduce(0) {
            $0 + ZonedBatch.memory(points: $1.1, columns: $1.0.columnCount, decomposition)
        }
        // A few more tiles may need a slot less.
        let slots = (fullTiles...tiles).map { GradientSlots.deal(tiles: $0, floats: slotFloats).count }.max() ?? 0
        return [
            ("packed weights", 4 * packed),
            ("gradient slots", 4 * slots * slotFloats),
            ("tiles", threads * 4 * (stacks + lanes) + list + gathered),
        ]
    }

    /// What a worker thread reserves and hardly uses: its stack (8 MiB), OpenBLAS's buffer (128 MiB) and, in address space
    /// only, its malloc arena (64 MiB). From /proc/PID/smaps with OpenBLAS 0.3.21, glibc 2.36.
    public static let reservedPerThread = (mapped: (8 + 128 + 64) << 20, data: (8 + 128) << 20)
}
