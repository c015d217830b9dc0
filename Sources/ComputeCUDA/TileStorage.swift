import Compute
import Networks

/// Size of tiles and the GPU memory for one: a function of the problem and the GPU alone, since the bits of a sum depend on
/// its tiles.
///
/// Letters: R rows, K for each point; W width; L hidden layers; F features; O outputs; S slices.
struct TilePlan: Equatable {
    /// Rows of the largest tile: a multiple of 6 S, so that points with one, three or six channels fill slices.
    let rows: Int
    /// Number of slices, the groups of a tile's points that are summed separately: enough to keep all multiprocessors busy,
    /// fewer for very many parameters.
    let slices: Int

    /// A tile of 32,768 points of six channels keeps every GPU busy, and takes 1.4 GB for 8 x 128.
    static let maxRows = 6 * 32_768

    /// - Parameters:
    ///   - limit: GPU memory for everything [bytes].
    ///   - multiprocessors: number of the GPU's multiprocessors.
    init(_ residualProblem: ResidualProblem, limit: Int, multiprocessors: Int, layers: LayerPlan) throws(CUDAError) {
        let parameters = residualProblem.networks.parameterCount
        var slices = 8
        while slices < 64, 2 * slices <= multiprocessors { slices *= 2 }
        while slices > 4, slices * parameters * 4 > 256 << 20 { slices /= 2 }
        let left = limit - TilePlan.fixedBytes(residualProblem, layers, slices: slices)
        let unit = 6 * slices
        let rows = min(TilePlan.maxRows, left / TilePlan.bytesPerRow(residualProblem, layers)) / unit * unit
        guard rows >= unit else {
            throw .outOfMemory(
                purpose: "the smallest tile of this network",
                bytes: TilePlan.fixedBytes(residualProblem, layers, slices: slices) + unit
                    * TilePlan.bytesPerRow(residualProblem, layers),
                free: limit)
        }
        (self.rows, self.slices) = (rows, slices)
    }

    /// GPU memory that an evaluation needs at most [bytes].
    func bytes(_ residualProblem: ResidualProblem, _ layers: LayerPlan) -> Int {
        TilePlan.fixedBytes(residualProblem, layers, slices: slices) + rows
            * TilePlan.bytesPerRow(residualProblem, layers)
    }

    /// Points of the largest tile for a channel count.
    func points(channels: Int) -> Int { rows / channels / slices * slices }

    /// The count rounded up to fill the last slice.
    func padded(_ count: Int) -> Int { (count + slices - 1) / slices * slices }

    /// Memory that does not grow with a tile: parameters, gradient and its slices, packed weights and sums of fused layers,
    /// sums of squares, cuBLAS's workspace [bytes].
    static func fixedBytes(_ residualProblem: ResidualProblem, _ layers: LayerPlan, slices: Int) -> Int {
        let width = widestSplitFactor(residualProblem, layers)
        return 4 * width * width + 4 * (layers.packedWords + layers.sumFloats) + 4
            * residualProblem.networks.parameterCount
            * (slices + 5) + (33 << 20)
    }

    /// Memory of a row [bytes]: z (L, R, W) and features (R, F) for every subdomain that can cover a tile; where layers are not
    /// fused, a and two stacks of adjoints (R, W) and the bfloat16 parts of both factors of a product; outputs and their
    /// adjoints (R, O), also of the sum over subdomains; coordinates, windows and columns.
    static func bytesPerRow(_ residualProblem: ResidualProblem, _ layers: LayerPlan) -> Int {
        let covering = residualProblem.networks.decomposition.maxOverlap
        let own = residualProblem.networks.networks.reduce(0) { $0 + $1.hiddenLayers * $1.width + featureCount($1) }
        let shared = 3 * widestStack(residualProblem, layers)
        let columns = residualProblem.programs.map(\.columnCount).max() ?? 2
        let outputs = 2 * residualProblem.networks.outputs * (covering > 1 ? covering + 1 : 1)
        let parts = 2 * widestSplitFactor(residualProblem, layers)
        return 4 * (parts + covering * (own + 2 + (covering > 1 ? 6 : 0)) + shared + outputs + columns)
    }

    /// Largest width of the networks whose layers are not fused.
    static func widestStack(_ residualProblem: ResidualProblem, _ layers: LayerPlan) -> Int {
        layers.unfused(residualProblem).map(\.width).max() ?? 0
    }

    /// Length of the longest row that is split into bfloat16 parts for a product of hidden layers.
    static func widestSplitFactor(_ residualProblem: ResidualProblem, _ layers: LayerPlan) -> Int {
        guard layers.precision == .bf16x3 else { return 0 }
        return layers.unfused(residualProblem).map { max($0.width, featureCount($0)) }.max() ?? 0
    }

    static func featureCount(_ network: Perceptron) -> Int { network.fourier == nil ? 0 : network.inputs }
}

/// GPU memory of a tile.
final class TileStorage {
    let rows: Int
    let columnCount: Int
    /// Memory for one of the subdomains that cover a tile.
    struct Subdomain {
        /// For each network: pre-activations (L, R, W) and features (R, F).
        let z: [CUDAMemory]
        let features: [CUDAMemory]
        /// Outputs and their adjoints, laid out by `FieldLayout`.
        let fields: CUDAMemory
        let bars: CUDAMemory
        /// Coordinates (R) and the window's channels (6, R).
        let x: CUDAMemory
        let y: CUDAMemory
        let window: CUDAMemory
    }
    let subdomains: [Subdomain]
    /// Outputs and adjoints of the sum over subdomains; those of the only subdomain where there is one.
    let fields: CUDAMemory
    let bars: CUDAMemory
    /// Activated channels of one layer, and two stacks of adjoints, (R, W), for networks whose layers are not fused.
    let a: CUDAMemory
    let bar: CUDAMemory
    let barBelow: CUDAMemory
    /// Columns of a tile's points, (columns, R).
    let columns: CUDAMemory
    /// The bfloat16 parts of both factors of a product.
    let scratch: (a: CUDAMemory, b: CUDAMemory)?

    init(_ residualProblem: ResidualProblem, rows: Int, columnCount: Int, layers: LayerPlan, device: Device)
        throws(CUDAError)
    {
        func floats(_ count: Int) throws(CUDAError) -> CUDAMemory {
            try device.allocate(4 * count, "a tile of \(rows) rows")
        }
        let networks = residualProblem.networks
        let covering = networks.decomposition.maxOverlap
        let width = TilePlan.widestStack(residualProblem, layers)
        var subdomains: [Subdomain] = []
        for _ in 0..<covering {
            var (z, features): ([CUDAMemory], [CUDAMemory]) = ([], [])
            for network in networks.networks {
                z.append(try floats(network.hiddenLayers * rows * network.width))
                features.append(try floats(rows * TilePlan.featureCount(network)))
            }
            subdomains.append(
                Subdomain(
                    z: z, features: features, fields: try floats(rows * networks.outputs),
                    bars: try floats(rows * networks.outputs), x: try floats(rows), y: try floats(rows),
                    window: try floats(covering > 1 ? 6 * rows : 0)))
        }
        self.rows = rows
        self.columnCount = columnCount
        self.subdomains = subdomains
        fields = covering > 1 ? try floats(rows * networks.outputs) : subdomains[0].fields
        bars = covering > 1 ? try floats(rows * networks.outputs) : subdomains[0].bars
        a = try floats(rows * width)
        bar = try floats(rows * width)
        barBelow = try floats(rows * width)
        columns = try floats(rows * columnCount)
        let widest = TilePlan.widestSplitFactor(residualProblem, layers)
        scratch =
            widest > 0
            ? (try floats(rows * widest + 4), try floats((rows + widest) * widest + 4)) : nil
    }
}
