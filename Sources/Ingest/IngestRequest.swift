import Fields

/// What a user asks of pinn-ingest.
public struct IngestRequest: Sendable {
    /// The velocity product, or one file that holds velocity, thickness and mask.
    public var velocity: String
    /// The thickness product; nil: the velocity file's own, or the one found in the same folder.
    public var thickness: String?
    /// The user's own schema, tried before those of the catalog.
    public var schema: String?
    public var region = Region.everywhere
    /// A file with a polygon: ice outside is left out.
    public var polygon: String?
    /// The name of an ice shelf: others are left out.
    public var shelf: String?
    public var choice = IceChoice.floating
    /// Collocation points; nil: `defaultPoints`.
    public var points: Int?
    public var seed: UInt64 = 0
    public var store = "pinn-store.nc"

    public init(velocity: String) { self.velocity = velocity }

    /// The kind of ice in the store, as the physics distinguishes it.
    var ice: IceMask { choice == .floating ? .floatingIce : .groundedIce }

    /// A million, and at least four in each cell: eight megabytes for a shelf, 15 iterations of 65,536 points before one is
    /// repeated, and no cell without equations.
    public static func defaultPoints(cells: Int) -> Int { max(1_000_000, 4 * cells) }

    /// The equivalent command, for the history in the store: names without folders.
    var command: String {
        var words = ["pinn-ingest", lastComponent(of: velocity)]
        if let thickness { words += ["--thickness", lastComponent(of: thickness)] }
        if let schema { words += ["--schema", lastComponent(of: schema)] }
        if region != .everywhere { words += ["--region", region.text] }
        if let polygon { words += ["--polygon", lastComponent(of: polygon)] }
        if let shelf { words += ["--shelf", shelf] }
        if choice != .floating { words += ["--mask", choice.rawValue] }
        if let points { words += ["--points", String(points)] }
        words += ["--seed", String(seed)]
        return words.map(shellWord).joined(separator: " ")
    }
}

/// Which ice is selected.
public enum IceChoice: String, CaseIterable, Sendable {
    /// Shelves.
    case floating
    /// Streams, with the height of their surface.
    case grounded
    /// Both together, with the height of the surface: a shelf is a stream that floats and has no basal drag (MacAyeal 1989). The
    /// store calls all of it grounded.
    case all
}

/// A stage that takes time with large files.
public enum IngestStage: String, Sendable {
    case shelves = "looking for shelves"
    case mask = "reading the mask"
    case velocity = "reading the velocity"
    case thickness = "reading the thickness"
    case surface = "reading the surface"
    case writing = "writing points"

    public var unit: String { self == .writing ? "points" : "rows" }
}
