import Fields

/// The sets of points that a store holds. Each is written in one shuffled order, so that every run of
/// neighbouring points is an unbiased sample of its set.
public enum PointSet: String, CaseIterable, Sendable, Hashable {
    /// Positions anywhere on the shelf, where the equations are imposed.
    case collocation
    /// Cells of the velocity product with their values.
    case velocity
    /// Cells of the thickness product with their values.
    case thickness
    /// Points of the calving front with their outward unit normals.
    case front
    /// Cells of the thickness product with the height of the surface, where grounded ice is stored.
    case surface

    /// Whether its points are observations.
    public var isObserved: Bool { self == .velocity || self == .thickness || self == .surface }

    /// Whether a store may lack it.
    var isOptional: Bool { self == .front || self == .surface }

    /// The columns of the set, in this order everywhere.
    public var columns: [Column] {
        switch self {
        case .collocation: [.x, .y]
        case .velocity: [.x, .y, .u, .v, .weightU, .weightV]
        case .thickness: [.x, .y, .h, .weightH]
        case .front: [.x, .y, .normalX, .normalY]
        case .surface: [.x, .y, .s, .weightS]
        }
    }

    /// Name of the variable that holds a column, e.g. `velocity_u`.
    public func variable(_ column: Column) -> String { "\(rawValue)_\(column.rawValue)" }
    /// Name of the variable that holds the checksum of every block of a column.
    public func checksumVariable(_ column: Column) -> String { "\(variable(column))_crc32c" }
}

/// A value at a point, stored as float32 in the network's own normalisation.
public enum Column: String, Sendable, Hashable {
    case x, y, u, v, h, s
    /// Weights of an observation's squared misfits, 1 on average over those of its set; from the product's error fields, or from
    /// the noise of its values.
    case weightU = "u_weight"
    case weightV = "v_weight"
    case weightH = "h_weight"
    case weightS = "s_weight"
    case normalX = "nx"
    case normalY = "ny"

    public var isWeight: Bool { weighed != nil }

    /// The observation that a weight belongs to.
    private var weighed: Column? {
        switch self {
        case .weightU: .u
        case .weightV: .v
        case .weightH: .h
        case .weightS: .s
        case .x, .y, .u, .v, .h, .s, .normalX, .normalY: nil
        }
    }

    /// Unit of the physical value.
    public var unit: String {
        switch self {
        case .x, .y, .h, .s: "m"
        case .u, .v: Unit.metersPerYear.symbol
        case .weightU, .weightV, .weightH, .weightS, .normalX, .normalY: "1"
        }
    }

    public var longName: String {
        switch self {
        case .x: "position along the projection's x axis"
        case .y: "position along the projection's y axis"
        case .u: Quantity.velocityX.longName
        case .v: Quantity.velocityY.longName
        case .h: Quantity.thickness.longName
        case .s: Quantity.surface.longName
        case .weightU, .weightV, .weightH, .weightS: "weight of the squared misfit of \(weighed!.longName)"
        case .normalX: "x component of the outward unit normal"
        case .normalY: "y component of the outward unit normal"
        }
    }
}

/// A grid of a product, cropped to what the store covers: export predicts on it.
public struct StoredGrid: Sendable, Equatable {
    /// "velocity" or "thickness"; one file with one grid has "velocity" alone.
    public var name: String
    public var grid: Grid
    /// `IceMask` codes, row-major, one per cell.
    public var mask: [UInt8]

    public init(name: String, grid: Grid, mask: [UInt8]) {
        self.name = name
        self.grid = grid
        self.mask = mask
    }
}

/// Everything that a store contains besides its points.
public struct StoreDescription: Sendable, Equatable {
    public var counts: [PointSet: Int]
    /// physical = offset + scale × stored, for x, y [m], u, v [m year⁻¹], h and s [m].
    public var normalizations: [Column: Normalization]
    public var scales: Scales
    public var grids: [StoredGrid]
    /// The grid that a set's cell indices refer to: "velocity" → "velocity", "thickness" → either.
    public var gridOfSet: [PointSet: String]

    /// The sets whose observations lie on a grid.
    public func sets(on grid: String) -> [PointSet] { PointSet.allCases.filter { gridOfSet[$0] == grid } }

    public var seed: UInt64
    /// The ice that the points lie on.
    public var ice = IceMask.floatingIce
    /// Densities stated by the thickness product [kg m⁻³], if any.
    public var productIceDensity: Double?
    public var productSeaWaterDensity: Double?
    /// Free text for people: source files, product names, what was dropped. Written as global attributes.
    public var provenance: [(name: String, text: String)]

    public init(
        counts: [PointSet: Int], normalizations: [Column: Normalization], scales: Scales, grids: [StoredGrid],
        gridOfSet: [PointSet: String], seed: UInt64, productIceDensity: Double? = nil,
        productSeaWaterDensity: Double? = nil, provenance: [(name: String, text: String)] = []
    ) {
        self.counts = counts
        self.normalizations = normalizations
        self.scales = scales
        self.grids = grids
        self.gridOfSet = gridOfSet
        self.seed = seed
        self.productIceDensity = productIceDensity
        self.productSeaWaterDensity = productSeaWaterDensity
        self.provenance = provenance
    }

    public static func == (a: StoreDescription, b: StoreDescription) -> Bool {
        a.counts == b.counts && a.normalizations == b.normalizations && a.scales == b.scales && a.grids == b.grids
            && a.gridOfSet == b.gridOfSet && a.seed == b.seed && a.ice == b.ice
            && a.productIceDensity == b.productIceDensity
            && a.productSeaWaterDensity == b.productSeaWaterDensity
            && a.provenance.map(\.name) == b.provenance.map(\.name)
            && a.provenance.map(\.text) == b.provenance.map(\.text)
    }
}

/// Names in the file, for writer and reader.
enum StoreNames {
    static let format = "\(anyFormat) 2"
    static let anyFormat = "IceShelfPINN point store"
    static let defaultFile = "pinn-store.nc"
    static let scaleLength = "scale_length_m"
    static let scaleSpeed = "scale_speed_m_s"
    static let scaleThickness = "scale_thickness_m"
    static let seed = "seed"
    static let ice = "ice"
    static let iceDensity = "product_ice_density_kg_m3"
    static let seaWaterDensity = "product_sea_water_density_kg_m3"
    static let blockPoints = "checksum_block_points"
    /// Global attributes whose names begin so are provenance.
    static let provenance = "source_"
    /// Points that one checksum covers.
    static let pointsPerBlock = 65536

    /// Row-major cell of the set's grid that an observation came from.
    static func cells(of set: PointSet) -> String { "\(set.rawValue)_cell" }
    static func axis(_ axis: String, of grid: String) -> String { "\(grid)_grid_\(axis)" }
    static func mask(of grid: String) -> String { "\(grid)_grid_mask" }
    static func projection(of grid: String) -> String { "\(grid)_grid_mapping" }
}
