import ArgumentParser
import CommandSupport
import Fields
import ForwardModel
import Planning

struct SampleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pinn-sample",
        abstract: "Makes velocity and thickness products of a synthetic ice shelf with known viscosity.",
        discussion: """
            Solves the shallow-shelf equations for the velocity and writes three files in the layout of the real products: \
            NAME_velocity_measures.nc (MEaSUREs, 450 m), NAME_bedmachine_v2.nc (BedMachine, 500 m) and NAME_truth.nc \
            (the viscosity, for scoring). The files of Data/ are made by 'pinn-sample -o Data'.
            """)

    @Option(name: .customLong("case"), help: ArgumentHelp("Shelf to make: \(SampleCommand.names).", valueName: "shelf"))
    var shelf = "wedge"

    @Option(
        name: [.customShort("o"), .long],
        help: ArgumentHelp("Output folder; created if it does not exist.", valueName: "folder"))
    var output = "."

    @Option(help: ArgumentHelp("First part of the files' names.", valueName: "name"))
    var name = "sample"

    @Option(help: ArgumentHelp("Largest edge of a finite element.", valueName: "m"))
    var spacingM = 250.0

    @Option(
        help: ArgumentHelp(
            "Normally distributed noise, in percent of mean speed and mean thickness.", valueName: "percent"))
    var noisePercent = 0.0

    @Option(help: ArgumentHelp("Seed of the noise.", valueName: "number"))
    var seed: UInt64 = 1

    @OptionGroup var common: CommonOptions

    private static var names: String { ShelfCatalog.all.map(\.name).joined(separator: ", ") }

    func validate() throws {
        guard spacingM >= 20, spacingM <= 5000 else {
            throw ValidationError("--spacing-m \(spacingM) is not between 20 and 5000")
        }
        guard noisePercent >= 0, noisePercent <= 100 else {
            throw ValidationError("--noise-percent \(noisePercent) is not between 0 and 100")
        }
        guard !name.isEmpty, !name.contains("/") else {
            throw ValidationError(
                "--name must be the first part of a file name, without '/'; give the folder as --output")
        }
    }

    func run() throws {
        let shelf = try ShelfCatalog.shelf(named: shelf)
        try MemoryEstimate(
            [
                .init(
                    name: "the matrix of the finite elements",
                    bytes: try SolvedShelf.byteCount(of: shelf, spacing: spacingM),
                    remedy: "a wider --spacing-m")
            ], threads: 1, reservedPerThread: Backends.reservedPerThread
        ).require()
        try makeFolder(output)
        try ProductWriter.requireReplaceable(folder: output, name: name)
        let solved = try SolvedShelf(shelf, spacing: spacingM)
        printMessage("solved \(shelf.title): \(solved.mesh.columns) x \(solved.mesh.rows) elements")
        let noise = noisePercent > 0 ? (percent: noisePercent, seed: seed) : nil
        let paths = try ProductWriter(ShelfSurvey(solved), noise: noise).write(folder: output, name: name)
        for path in paths { try printResult(path) }
        printMessage("next: pinn-ingest \(shellWord(paths[0])) --thickness \(shellWord(paths[1]))")
    }
}
