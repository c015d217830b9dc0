import CKernels
import Compute
import Networks

/// What a CPU backend allocates, from the shapes of its buffers: the one place that must follow a change of
/// PackedNetwork, NetworkTile, TileWorkspace, ProgramTile or GradientSlots.
///
/// Letters as in NetworkTile: R rows of a tile, W the padded width, L hidden layers, O outputs.
extension CPUBackend {
    /// Bytes by purpose. `counts` are the points of a chunk, one for each program of the workload.
    public static func memory(_ workload: Workload, counts: [Int], threads: Int?) -> [(name: String, bytes: Int)] {
        let threads = max(1, threads ?? availableCores)
        let kernels = TileKernels.available[0]
        let tiles = zip(workload.programs, counts).reduce(0) { sum, each in
            let points = TileWorkspace.points(each.0.derivatives)
            return sum + (each.1 + points - 1) / points
        }
        var packed = 0
        var slotFloats = 0
        var stacks = 0
        for network in workload.networks.networks {
            let padded = Perceptron(
                inputs: network.inputs, hiddenLayers: network.hiddenLayers, width: kernels.padded(network.width),
                outputs: network.outputs)
            let (layers, width) = (padded.hiddenLayers, padded.width)
            // Parameters, and two packings of every hidden layer: (W, W) forward and transposed.
            packed += padded.parameterCount + 2 * layers * width * width
            slotFloats += GradientSlots.floats(padded)
            // z (L, R, W); a, bar and barBelow (R, W), rows a stride apart; outputs and their adjoints (R, O). OpenBLAS packs
            // both sides of the last layer's product, (R, W) and (W, O), into buffers of its own.
            let rows = TileWorkspace.rows + kernels.table.pointee.block_rows
            stacks +=
                rows * (tile_stride(width) * (layers + 3) + 2 * padded.outputs) + rows * width + width * padded.outputs
        }
        // Values and adjoints of every slot of a program.
        let lanes = workload.programs.reduce(0) {
            $0 + 2 * $1.program.slotCount * (TileWorkspace.points($1.derivatives) + ProgramTile.Lanes.scalarCount)
        }
        // The list of tiles: three words each, in an array that doubles as it grows.
        let list = 2 * 3 * 8 * tiles
        return [
            ("packed weights", 4 * packed),
            ("gradient slots", 4 * GradientSlots.deal(tiles: tiles, floats: slotFloats).count * slotFloats),
            ("tiles", threads * 4 * (stacks + lanes) + list),
        ]
    }

    /// What a working thread reserves and hardly touches: its stack (8 MiB), OpenBLAS's buffer (128 MiB) and, of address space
    /// alone, the heap that malloc sets aside for it (64 MiB). Seen in /proc/PID/smaps with OpenBLAS 0.3.21, glibc 2.36.
    public static let reservedPerThread = (mapped: (8 + 128 + 64) << 20, data: (8 + 128) << 20)
}
