import Compute
import Networks

/// How the kernels of Kernels/fused.cu are made for a network, and what they need; nil where they are not made for it.
///
/// Letters: W width, K channels, G groups of points, L hidden layers, O outputs.
struct FusedShape: Equatable {
    let network: Perceptron
    let precision: Precision
    /// Two groups of 96 rows share each matrix that comes to shared memory, where there is room for both; else one.
    let groups: Int
    /// Whether products are those of Hopper's warpgroups (Kernels/warpgroup_products.cu), or of warps (tile_products.cu).
    let isOfWarpgroups: Bool

    /// Warps of a warpgroup, each with rows of its own.
    private static let warpgroup = 4

    /// Registers hold the sums of 96 rows and those of a matrix's gradient: no room beyond.
    private static let maxWidth = 128

    /// - Parameters:
    ///   - fusion: what is wished; products of warps where it cannot be had.
    ///   - sharedMemory: of a block [bytes].
    ///   - architecture: the GPU's compute capability, as 90.
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

    /// Products of hidden layers, W x W.
    var productCount: Int { network.fourier == nil ? network.hiddenLayers - 1 : network.hiddenLayers }

    /// Words of all products' factors.
    var packedWords: Int { productCount * network.width * network.width }

    /// Floats of a block's sums of the gradient, a multiple of four.
    var sumFloats: Int { (network.parameterCount + 3) / 4 * 4 }

    /// Shared memory of a block on the way forward: the stack (96 G, W), two chunks (W, 32) of a matrix.
    var forwardBytes: Int { FusedShape.bytes(network.width, stacks: groups) }

    /// And on the way back: two stacks, the chunks, sums of columns (parts, W).
    var adjointBytes: Int {
        FusedShape.adjointBytes(network.width, groups: groups, parts: isOfWarpgroups ? FusedShape.warpgroup : groups)
    }

    private static func adjointBytes(_ width: Int, groups: Int, parts: Int) -> Int {
        bytes(width, stacks: 2 * groups) + 4 * parts * width
    }
    private static func bytes(_ width: Int, stacks: Int) -> Int { 4 * width * (96 * stacks + 2 * 32) }
}

/// How each network of a residualProblem is computed.
struct LayerPlan {
    let precision: Precision
    /// By network; nil: layer by layer.
    let fused: [FusedShape?]
    /// Blocks of the fused kernels: one a multiprocessor, each with sums of its own.
    let blocks: Int

    /// - Parameter sharedMemory: of a block, if less than the GPU gives [bytes].
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
    /// Memory that the fused networks share: factors of one, and the sums of all blocks.
    var packedWords: Int { shapes.map(\.packedWords).max() ?? 0 }
    var sumFloats: Int { blocks * (shapes.map(\.sumFloats).max() ?? 0) }

    /// Networks that go layer by layer.
    func unfused(_ residualProblem: ResidualProblem) -> [Perceptron] {
        zip(residualProblem.networks.networks, fused).filter { $1 == nil }.map(\.0)
    }
}
