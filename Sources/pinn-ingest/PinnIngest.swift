import ArgumentParser
import CommandSupport
import Fields
import Ingest
import Planning

@main
enum Main {
    static func main() {
        ProductReader.begin("pinn-ingest", ProgramArguments.all, check: StopRequest.check)
        StopRequest.install()
        runCommand(IngestCommand.self, section: "ingest")
    }
}

struct IngestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pinn-ingest",
        abstract: "Turn velocity and thickness products into a point store for pinn-train.",
        discussion: """
            Reads the products of --list-products (MEaSUREs and ITS_LIVE velocity, BedMachine, Bedmap, data sets of \
            DIFFICE_jax and PINNICLE), or one file with velocity, thickness and mask. Without --thickness, a thickness product in the folder of the velocity \
            is found by its content. The mask selects floating ice or, with --mask grounded, grounded ice with the height \
            of its surface.

            Example: pinn-ingest measures.nc --shelf Amery --points 1e7
            """)

    @Argument(
        help: ArgumentHelp(
            "Velocity product (NetCDF, HDF5, MATLAB), or one file with velocity, thickness and mask.",
            valueName: "velocity.nc"))
    var velocity: String?

    @Option(
        help: ArgumentHelp(
            "Thickness product with an ice mask (default: from the velocity file, or found in its folder).",
            valueName: "bedmachine.nc"))
    var thickness: String?

    @Option(
        help: ArgumentHelp(
            "Schema of your own product, tried before the known ones (Schemas/README.md lists its keys).",
            valueName: "schema.toml"))
    var schema: String?

    @Flag(help: "List the known products and stop.")
    var listProducts = false

    @Flag(help: "Show what would be read and written, and the points, disk space and time; write nothing.")
    var dryRun = false

    // Coordinates are negative in three quarters of the map, so a leading "-" does not start an option here.
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Rectangle in projection coordinates, in metres (default: everything).",
            valueName: "xmin,xmax,ymin,ymax"))
    var region: String?

    @Option(
        help: ArgumentHelp(
            "Polygon that must contain the cell centres: GeoJSON, shapefile or ISSM outline (default: none).",
            valueName: "outline.geojson"))
    var polygon: String?

    @Option(help: ArgumentHelp("Name of an Antarctic ice shelf (default: all).", valueName: "Amery"))
    var shelf: String?

    @Flag(help: "List the ice shelves in the file's mask and stop.")
    var listShelves = false

    @Option(
        name: [.customLong("mask"), .customLong("ice")],
        help: ArgumentHelp(
            "Which ice: floating, or grounded or all with the height of its surface. (--ice is an alias.)",
            valueName: "floating|grounded|all"))
    var mask = IceChoice.floating

    @Option(
        help: ArgumentHelp(
            "Collocation points, e.g. 1e8 (default: 1e6, or four per grid cell if that is more).", valueName: "count"),
        transform: count)
    var points: Int?

    @Option(help: "Seed of the shuffle and of the collocation points.")
    var seed: UInt64 = 0

    @Option(
        name: [.customShort("o"), .customLong("output")], help: ArgumentHelp("Store to write.", valueName: "store.nc"))
    var output = "pinn-store.nc"

    @OptionGroup var common: CommonOptions

    func validate() throws {
        if let region, let fault = Region.fault(of: region) {
            throw ValidationError("--region: \(fault), in metres of the files' projection")
        }
        guard listProducts || velocity != nil else {
            throw ValidationError("Missing expected argument '<velocity.nc>'")
        }
        guard shelf == nil || mask == .floating else {
            throw ValidationError(
                "--shelf: shelves are floating ice, but --mask is \(mask.rawValue); give --region or --polygon instead")
        }
    }

    func run() throws {
        if listProducts {
            return try printResult(ProductCatalog(withSchemaAt: schema).table.paragraphs())
        }
        guard let velocity else { return }
        // A thread that finds no room for its heap waits for it without end (seen under load, at ulimit -v 260000).
        _ = try admit([("buffers of the products", 32 << 20, nil)], .now)
        var request = IngestRequest(velocity: velocity)
        request.thickness = thickness
        request.schema = schema
        request.region = region.flatMap(Region.init) ?? .everywhere
        request.points = points
        request.seed = seed
        request.polygon = polygon
        request.shelf = shelf
        request.choice = mask
        request.store = output

        try StopRequest.ending { try ingest(request) }
    }

    private func ingest(_ request: IngestRequest) throws {
        let display = StageDisplay()
        defer { display.close() }
        let atStart = ProcessMemory.now
        let run = IngestRun(request) { stage, done, total in
            try StopRequest.check()
            display.update(stage, done, total)
        } admit: {
            try admit($0, atStart)
        }
        let (warnings, lines) = try answer(run)
        display.close()
        for warning in warnings { printMessage("warning: \(warning)") }
        for line in lines { try printResult(printable(line)) }
    }

    /// Refuses what there is no room for; returns all that is needed [bytes].
    private func admit(_ parts: [(name: String, bytes: Int, remedy: String?)], _ atStart: ProcessMemory) throws -> Int {
        let memory = MemoryEstimate(
            parts.map { .init(name: $0.name, bytes: $0.bytes, remedy: $0.remedy) }, threads: 1,
            baseline: atStart)
        try memory.require()
        return memory.peak
    }

    private func answer(_ run: IngestRun) throws -> (warnings: [String], lines: [String]) {
        if listShelves { return ([], try run.listShelves()) }
        if dryRun {
            let preview = try run.preview()
            return (preview.warnings, preview.lines)
        }
        let report = try run.run()
        return (report.warnings, report.lines)
    }
}

extension IceChoice: ExpressibleByArgument {}
