import Compute
import Networks

/// Compile-time parameters of Kernels/fused.cu for a network, and the memory they need; nil where it cannot be fused.
///
/// Letters: W width, K channels, G groups of points, L hidden layers, O outputs.
struct FusedShape: Equatable {
    let network: Perceptron
    let precision: Precision
    /// Groups of 96 rows that share each matrix in shared memory: two where there is room, else one.
    let groups: Int
    /// Whether products use Hopper's warpgroup instructions (Kernels/warpgroup_products.cu) or warp instructions (tile_products.cu).
    let isOfWarpgroups: Bool

    /// Warps of a warpgroup, each with its own rows.
    private static let warpgroup = 4

    /// Largest width: registers hold the sums of 96 rows and of a matrix's gradient, and no more.
    private static let maxWidth = 128

    /// - Parameters:
    ///   - fusion: the requested form; warp products where it is not available.
    ///   - sharedMemory: shared memory of a block [bytes].
    ///   - architecture: the GPU's compute capability, such as 90.
    init?(_ network: Perceptron, _ precision: Precision, _ fusion: LayerFusion, sharedMemory: Int, architecture: Int) {
        guard precision != .fp32, fusion != .none, network.width % 32 == 0, network.width <= FusedShape.maxWidth,
            network.inputs == (network.fourier == nil ? 2 : network.width)
        else { return nil }
        self.network = network
        self.precision = precision
        // Instructions of compute capability 9.0 that no other has. A warpgroup has 64 columns and needs two groups of rows.
        isOfWarpgroups =
            fusion == .warpgroups && architecture == 90 && network.width % 64 == 0
            && FusedShape.adjointBytes(network.width, groups: 2, parts: FusedShape.warpgroup) <= sharedMemory
        guard
            let groups = [2, 1].first(where: {
                FusedShape.adjointBytes(network.width, groups: $0, parts: $0) <= sharedMemory
            })
        else { return nil }
        self.groups = groups
    }

    /// Threads of a block.
    var threads: Int { 2 * network.width }

    /// Points of a tile, of which a block has one after the other.
    func tilePoints(channels: Int) -> Int { 16 * (6 / channels) * groups }

    /// Number of W x W products of hidden layers.
    var productCount: Int { network.fourier == nil ? network.hiddenLayers - 1 : network.hiddenLayers }

    /// Words of all packed weights.
    var packedWords: Int { productCount * network.width * network.width }

    /// Floats of a block's gradient sums, a multiple of four.
    var sumFloats: Int { (network.parameterCount + 3) / 4 * 4 }

    /// Shared memory of a block in the forward pass: the stack (96 G, W), two chunks (W, 32) of a matrix.
    var forwardBytes: Int { FusedShape.bytes(network.width, stacks: groups) }

    /// Shared memory of a block in the adjoint pass: two stacks, the chunks, column sums (parts, W).
    var adjointBytes: Int {
        FusedShape.adjointBytes(network.width, groups: groups, parts: isOfWarpgroups ? FusedShape.warpgroup : groups)
    }

    private static func adjointBytes(_ width: Int, groups: Int, parts: Int) -> Int {
        bytes(width, stacks: 2 * groups) + 4 * parts * width
    }
    private static func bytes(_ width: Int, stacks: Int) -> Int { 4 * width * (96 * stacks + 2 * 32) }
}

/// How each network of a problem is computed.
struct LayerPlan {
    let precision: Precision
    /// For each network its fused form; nil: layer by layer.
    let fused: [FusedShape?]
    /// Blocks of the fused kernels: one per multiprocessor, each with its own sums.
    let blocks: Int

    /// - Parameter sharedMemory: shared memory of a block, if less than the GPU's [bytes].
    init(
        _ residualProblem: ResidualProblem, _ precision: Precision, _ fusion: LayerFusion, sharedMemory: Int? = nil,
        _ device: Device
    ) {
        self.precision = precision
        fused = residualProblem.networks.networks.map {
            FusedShape(
                $0, precision, fusion, sharedMemory: min(sharedMemory ?? .max, device.sharedMemory),
                architecture: device.architecture)
        }
        blocks = device.multiprocessors
    }

    private var shapes: [FusedShape] { fused.compactMap(\.self) }
    /// Sizes of the memory that fused networks share: packed weights of one, sums of all blocks.
    var packedWords: Int { shapes.map(\.packedWords).max() ?? 0 }
    var sumFloats: Int { blocks * (shapes.map(\.sumFloats).max() ?? 0) }

    /// Networks that are computed layer by layer.
    func unfused(_ residualProblem: ResidualProblem) -> [Perceptron] {
        zip(residualProblem.networks.networks, fused).filter { $1 == nil }.map(\.0)
    }
}
