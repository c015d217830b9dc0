import CKernels
import Compute
import Networks
import Pointwise

/// One thread's memory for a tile, and the passes over it: a tile of points goes through all layers and back while its
/// channels stay in the core's cache.
///
/// Shapes: P points of a tile, K channels, R = K·P rows, W width, O outputs. Stacks are point-major (P, K, W):
/// channel-major strides are multiples of 4 KB and alias in the first-level cache (measured two to three times slower).
final class TileWorkspace {
    /// Rows of a tile: 32 points of six channels. Tiles of 16 to 48 points measure equal.
    static let rows = 192

    static func points(_ derivatives: Derivatives) -> Int { rows / derivatives.channelCount }

    private let workload: Workload
    private let packed: PackedNetwork
    /// The padded network: W below is its width.
    private let network: Perceptron
    /// Pre-activations of every hidden layer, (L, R, W); tanh stands in their value channel after the forward pass.
    private let z: UnsafeMutablePointer<Float>
    /// Activated channels of one layer, (R, W).
    private let a: UnsafeMutablePointer<Float>
    /// Adjoints of one layer and of the one below, (R, W).
    private var bar: UnsafeMutablePointer<Float>
    private var barBelow: UnsafeMutablePointer<Float>
    /// The network's outputs and their adjoints, (R, O).
    private let o: UnsafeMutablePointer<Float>
    private let oBar: UnsafeMutablePointer<Float>
    private let tiles: [ProgramTile]

    init(_ workload: Workload, _ packed: PackedNetwork, programs: [PointProgram]) {
        self.workload = workload
        self.packed = packed
        network = packed.padded
        let stack = TileWorkspace.rows * network.width
        z = allocateFloats(stack * network.hiddenLayers)
        a = allocateFloats(stack)
        bar = allocateFloats(stack)
        barBelow = allocateFloats(stack)
        o = allocateFloats(TileWorkspace.rows * network.outputs)
        oBar = allocateFloats(TileWorkspace.rows * network.outputs)
        tiles = programs.map { ProgramTile($0.program, mostPoints: TileWorkspace.points($0.derivatives)) }
    }

    deinit {
        for buffer in [z, a, bar, barBelow, o, oBar] { buffer.deallocate() }
        for tile in tiles { tile.deallocate() }
    }

    /// Runs program `number` at a tile of points; afterwards `row` holds its outputs.
    func forward(
        _ number: Int, _ derivatives: Derivatives, _ columns: [UnsafePointer<Float>], count: Int
    ) {
        let parameters = packed.parameters
        let k = derivatives.channelCount
        let width = network.width
        let rows = k * count
        for layer in 0..<network.hiddenLayers {
            let zHere = z + layer * TileWorkspace.rows * width
            if layer == 0 {
                channels_enter(
                    columns[0], columns[1], count, k, width, parameters, Float(workload.inputSlopes.x),
                    Float(workload.inputSlopes.y), zHere)
            } else {
                products_multiply(a, packed.forwardPanels(layer), rows, width, width, zHere)
            }
            channels_activate(zHere, parameters + network.biases(of: layer), a, count, k, width)
        }
        let last = network.hiddenLayers
        BLAS.multiply(a, parameters + network.weights(of: last), into: o, m: rows, n: network.outputs, k: width)
        let bias = parameters + network.biases(of: last)
        for point in 0..<count {
            for output in 0..<network.outputs { o[point * k * network.outputs + output] += bias[output] }
        }
        gather(tiles[number], k, columns, count: count)
        tiles[number].evaluate()
    }

    /// An output of the program that was run, one value a point.
    func output(_ index: Int, of number: Int) -> UnsafePointer<Float> {
        UnsafePointer(tiles[number].row(tiles[number].program.outputs[index]))
    }

    /// Adds the gradient of Σ c_j r_j² over the tile that `forward` was run on, and Σ r_j² to the sums. The gradient lies as
    /// the padded parameters do.
    func adjoint(
        _ number: Int, _ derivatives: Derivatives, _ columns: [UnsafePointer<Float>], count: Int,
        coefficients: [Double], sums: UnsafeMutablePointer<Double>, gradient: UnsafeMutablePointer<Float>
    ) {
        let parameters = packed.parameters
        let k = derivatives.channelCount
        let width = network.width
        let rows = k * count
        seed(tiles[number], coefficients, sums: sums, count: count)
        tiles[number].propagate()
        scatter(tiles[number], k, count: count)

        let last = network.hiddenLayers
        let biasBar = gradient + network.biases(of: last)
        for point in 0..<count {
            for output in 0..<network.outputs { biasBar[output] += oBar[point * k * network.outputs + output] }
        }
        // The forward pass left the last hidden layer's activations in a.
        BLAS.addProduct(
            transposed: a, oBar, to: gradient + network.weights(of: last), m: width, n: network.outputs, k: rows)
        BLAS.multiply(
            oBar, transposed: parameters + network.weights(of: last), into: bar, m: rows, n: width, k: network.outputs)
        for layer in (0..<network.hiddenLayers).reversed() {
            let zHere = z + layer * TileWorkspace.rows * width
            channels_activate_adjoint(zHere, bar, gradient + network.biases(of: layer), count, k, width)
            if layer == 0 {
                channels_enter_adjoint(
                    columns[0], columns[1], count, k, width, bar, Float(workload.inputSlopes.x),
                    Float(workload.inputSlopes.y), gradient)
            } else {
                channels_reactivate(zHere - TileWorkspace.rows * width, a, count, k, width)
                products_add_transposed(a, bar, rows, width, width, gradient + network.weights(of: layer))
                products_multiply(bar, packed.backwardPanels(layer), rows, width, width, barBelow)
                swap(&bar, &barBelow)
            }
        }
    }

    // MARK: between the network's rows and the program's lanes

    private func gather(_ tile: ProgramTile, _ k: Int, _ columns: [UnsafePointer<Float>], count: Int) {
        for (slot, input) in tile.program.inputs.enumerated() {
            let row = tile.row(slot)
            switch input {
            case .channel(let output, let channel):
                for point in 0..<count { row[point] = o[(point * k + channel.rawValue) * network.outputs + output] }
            case .column(let column):
                row.update(from: columns[column], count: count)
            }
        }
    }

    /// The outputs' adjoints 2 c r, and the sums of r².
    private func seed(_ tile: ProgramTile, _ coefficients: [Double], sums: UnsafeMutablePointer<Double>, count: Int) {
        tile.clearBars()
        for (index, slot) in tile.program.outputs.enumerated() {
            let residual = tile.row(slot)
            let residualBar = tile.barRow(slot)
            let twice = Float(2 * coefficients[index])
            var sum = 0.0
            for point in 0..<count {
                sum += Double(residual[point]) * Double(residual[point])
                residualBar[point] += twice * residual[point]
            }
            sums[index] += sum
        }
    }

    private func scatter(_ tile: ProgramTile, _ k: Int, count: Int) {
        oBar.update(repeating: 0, count: k * count * network.outputs)
        for (slot, input) in tile.program.inputs.enumerated() {
            guard case .channel(let output, let channel) = input else { continue }
            let row = tile.barRow(slot)
            for point in 0..<count { oBar[(point * k + channel.rawValue) * network.outputs + output] = row[point] }
        }
    }
}
