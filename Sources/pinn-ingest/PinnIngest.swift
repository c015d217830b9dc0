import ArgumentParser
import CommandSupport
import Fields
import Ingest

@main
enum Main {
    static func main() {
        StopRequest.install()
        runCommand(IngestCommand.self, section: "ingest")
    }
}

struct IngestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pinn-ingest",
        abstract: "Turn velocity and thickness products into a point store for pinn-train.",
        discussion: """
            Reads NSIDC-0754 v1 or NSIDC-0484 v2 velocity and BedMachine Antarctica v2 or v3 thickness, or one file \
            with velocity, thickness and mask. Without --thickness, a thickness product in the folder of the velocity \
            is found by its content. Floating ice is picked by the mask; with --mask grounded, grounded ice, and the height \
            of its surface.

            Example: pinn-ingest measures.nc --shelf Amery --points 1e7
            """)

    @Argument(
        help: ArgumentHelp(
            "Velocity product (NetCDF), or one file with velocity, thickness and mask.", valueName: "velocity.nc"))
    var velocity: String

    @Option(
        help: ArgumentHelp(
            "Thickness product with an ice mask (default: the velocity file's own, or the one beside it).",
            valueName: "bedmachine.nc"))
    var thickness: String?

    // Coordinates are negative in three quarters of the map: a leading "-" is no option here.
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Rectangle in projection coordinates, in metres (default: all of the files).",
            valueName: "xmin,xmax,ymin,ymax"))
    var region: Region?

    @Option(
        help: ArgumentHelp(
            "Polygon to stay inside of: GeoJSON, shapefile or ISSM outline (default: none).",
            valueName: "outline.geojson"))
    var polygon: String?

    @Option(help: ArgumentHelp("Antarctic ice shelf to take, by its name (default: all).", valueName: "Amery"))
    var shelf: String?

    @Flag(help: "Print the ice shelves that the mask of the file holds, and stop.")
    var listShelves = false

    @Option(
        name: [.customLong("mask"), .customLong("ice")],
        help: ArgumentHelp(
            "Ice that is taken: floating, or with the height of its surface grounded or all of both. (--ice is the same.)",
            valueName: "floating|grounded|all"))
    var mask = IceChoice.floating

    @Option(
        help: ArgumentHelp(
            "Collocation points, e.g. 1e8 (default: 1e6, or four a grid cell where that is more).", valueName: "count"))
    var points: Count?

    @Option(help: "Seed of the shuffle and of the collocation points.")
    var seed: UInt64 = 0

    @Option(
        name: [.customShort("o"), .customLong("output")], help: ArgumentHelp("Store to write.", valueName: "store.nc"))
    var output = "pinn-store.nc"

    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard shelf == nil || mask == .floating else {
            throw ValidationError(
                "--shelf: is of floating ice, and --mask is \(mask.rawValue); give --region or --polygon")
        }
    }

    func run() throws {
        var request = IngestRequest(velocity: velocity)
        request.thickness = thickness
        request.region = region ?? .everywhere
        request.points = points?.value
        request.seed = seed
        request.polygon = polygon
        request.shelf = shelf
        request.choice = mask
        request.store = output

        let display = StageDisplay()
        let run = IngestRun(request) { stage, done, total in
            try StopRequest.check()
            display.update(stage, done, total)
        }
        let report: IngestReport
        do {
            if listShelves {
                let lines = try run.listShelves()
                display.close()
                for line in lines { print(line) }
                return
            }
            report = try run.run()
        } catch {
            display.close()
            throw error
        }
        display.close()
        for warning in report.warnings { printMessage("warning: \(warning)") }
        for line in report.lines { print(line) }
    }
}

extension Region: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension IceChoice: ExpressibleByArgument {}
