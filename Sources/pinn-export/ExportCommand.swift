import ArgumentParser
import CommandSupport
import Compute
import Export
import Fields
import Runs

@main
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pinn-export",
        abstract: "Writes the predictions of a trained network as CF NetCDF on the grids of the products.",
        discussion: """
            Reads pinn-run/ (made by pinn-train) and the store that it was trained on. The file holds u, v, h, mu, the \
            effective strain rate, the residuals of the momentum balance, the misfits to the data and the mask; of an \
            ensemble the mean of its members, with NAME_standard_deviation next to each field; with \
            --standard-deviations also of one network, and mu_determined, which is 0 where data and equations leave the \
            viscosity open. xarray, QGIS and Panoply open it in the right place.

            Examples: pinn-export fine.nc --spacing-m 200 --region 1800000,1900000,650000,750000 --fields mu,B
            pinn-export line.csv --points flight.csv
            pinn-export prediction.nc --geotiff maps
            pinn-export prediction.nc --standard-deviations
            """)

    @Argument(help: "The file to write: NetCDF; with --points, CSV.") var prediction = "prediction.nc"
    @Option(name: .customLong("run"), help: "Folder of the run.") var runPath = "pinn-run"
    @Option(help: "The point store. (default: the one that the run names)") var store: String?
    @Option(
        help:
            "Grids of the products, separated by commas: velocity, thickness. (default: all; the first at the root of the file, others in groups of their names)"
    )
    var grid: String?
    @Option(
        help: ArgumentHelp(
            "Distance of cell centres, at its multiples; without misfits, as there are no data. (default: the product's own cells)",
            valueName: "m")) var spacingM: Double?
    @Option(
        help: ArgumentHelp(
            "Rectangle in projection coordinates, in metres. (default: all of the grid)",
            valueName: "xmin,xmax,ymin,ymax")) var region: String?
    @Option(
        help: ArgumentHelp(
            "Predict at the points of a CSV file with columns x and y in metres, or lon and lat in degrees: its lines with the fields appended. Points off the ice get none.",
            valueName: "file.csv")) var points: String?
    @Option(
        help: ArgumentHelp(
            "Fields, separated by commas, or all: with strain rates, deviatoric stresses, hardness B and fluidity. (default: those named above)",
            valueName: "names")) var fields: String?
    @Option(
        help: ArgumentHelp(
            "Write each field of the first grid, and its standard deviation, as a cloud-optimized GeoTIFF into a folder too, by GDAL's gdal_translate.",
            valueName: "folder")) var geotiff: String?
    @OptionGroup var deviations: DeviationOptions
    @OptionGroup var device: DeviceOptions
    @OptionGroup var common: CommonOptions

    static func main() {
        StopRequest.install()
        runCommand(ExportCommand.self, section: "export")
    }

    func validate() throws {
        if let spacingM, !(0.001...1e7).contains(spacingM) {
            throw ValidationError("--spacing-m: \(spacingM) is not a number of metres from 0.001 to 1e7")
        }
        if let region, let fault = Region.fault(of: region) {
            throw ValidationError("--region: \(fault), in metres of the store's projection")
        }
        if points != nil {
            let others: KeyValuePairs<String, Any?> = [
                "--grid": grid, "--spacing-m": spacingM, "--region": region, "--geotiff": geotiff,
            ]
            if let name = others.first(where: { $0.value != nil })?.key {
                throw ValidationError("\(name) is for grids, --points for lines: leave one of them out")
            }
            if !prediction.hasSuffix(".csv") {
                throw ValidationError("--points writes CSV: name the output, for example line.csv, not '\(prediction)'")
            }
        } else if prediction.hasSuffix(".csv") {
            throw ValidationError("'\(prediction)': CSV is written at --points FILE.csv; grids are NetCDF")
        } else if prediction.hasSuffix(".tif") || prediction.hasSuffix(".tiff") {
            throw ValidationError(
                "'\(prediction)': grids are NetCDF, name it .nc; --geotiff FOLDER writes GeoTIFFs of its fields")
        }
    }

    func run() throws {
        if points == nil { try PredictionWriter.checkOutput(prediction) }
        if let geotiff { try GeoTIFF.prepare(prediction, folder: geotiff) }
        let gridNames = try gridNames()
        let area = region.flatMap(Region.init)
        let run = try TrainedRun(in: RunDirectory(runPath), store: store) { printMessage("warning: \($0)") }
        if deviations.standardDeviations {
            try run.requireCovariance()
            if let note = run.noteOnDeviations { printMessage("warning: \(note)") }
        }
        var model = try Prediction(
            run.checkpoint, members: run.members, store: run.store,
            names: fields?.split(separator: ",", omittingEmptySubsequences: false).map { String($0).trimmingBlanks() }
        ) { problem in
            try makeBackend(problem, run, gridNames, area)
        }
        if deviations.standardDeviations {
            model.covariance = try run.covariance(
                noiseCorrelation: deviations.noiseCorrelation, makeBackend: device.makeBackend,
                report: deviations.report())
        }
        let members = run.members.count > 1 ? ", mean and standard deviation of \(run.members.count) members" : ""
        let origin = "at iteration \(run.checkpoint.iteration) of \(runPath)\(members)"
        if let points {
            let counts = try PointTable(reading: points).write(model, to: prediction, check: StopRequest.check)
            try printResult("\(prediction): \(counts.covered) of \(counts.points) points on the ice, \(origin)")
            if counts.covered == 0 {
                printMessage(
                    "warning: no point of \(points) lies on the ice; x and y are metres of the store's projection, longitude and latitude degrees (are they exchanged?)"
                )
            }
        } else {
            if let geotiff { try GeoTIFF.requireReplaceable(model.columnNames, in: geotiff) }
            let writer = try PredictionWriter(
                model, gridNames: gridNames, region: area, spacing: spacingM,
                command: ProgramArguments.all.map(shellWord).joined(separator: " "))
            let count = writer.cellCount
            var progress = Progress("exporting", total: count, unit: "cells")
            let open = try writer.write(to: prediction) {
                try StopRequest.check()
                progress.update($0)
            }
            progress.finish(count)
            try printResult("\(prediction): \(count) cells \(origin)\(determined(model, open: open, of: count))")
            if let geotiff {
                let paths: [String]
                do {
                    paths = try GeoTIFF.convert(
                        prediction, fields: model.columnNames, into: geotiff, check: StopRequest.check)
                } catch let interrupted as Interrupted {
                    let done = "\(prediction) is complete, not all of its maps in \(geotiff) are"
                    throw Interrupted(signal: interrupted.signal, done: done)
                }
                for path in paths { try printResult(path) }
            }
        }
    }

    /// The device of the fields, once there is room for what the command makes of them.
    private func makeBackend(
        _ problem: ResidualProblem, _ run: TrainedRun, _ gridNames: [String]?, _ area: Region?
    ) throws -> any Backend {
        let fields = problem.programs[0].program.outputs.count
        let hasDeviations = deviations.standardDeviations
        var (count, parts) =
            points == nil
            ? try PredictionWriter.memory(
                run.store, gridNames: gridNames, region: area, spacing: spacingM, fields: fields,
                members: run.members.count, hasDeviations: hasDeviations)
            : PointTable.memory(fields: fields, members: run.members.count, hasDeviations: hasDeviations)
        if hasDeviations { parts.append(Prediction.memoryOfDeviations(problem, points: count)) }
        return try device.makeBackend(problem, points: count, parts: parts)
    }

    /// ", data and equations determine 819 combinations of its 6660 weights; mu is not known on 3 % of the cells".
    private func determined(_ model: Prediction, open: [String: Int], of count: Int) -> String {
        guard let covariance = model.covariance else { return "" }
        let combinations = NumberText.plain(covariance.determinedCount.rounded())
        let shares = open.sorted { $0.key < $1.key }.map { name, cells in
            "; \(name) is not known on \(NumberText.plain(100 * Double(cells) / Double(max(count, 1)))) % of them"
        }
        return
            ", with standard deviations: data and equations determine \(combinations) combinations of \(model.checkpoint.parameters.count) weights\(shares.joined())"
    }

    private func gridNames() throws -> [String]? {
        guard let grid else { return nil }
        let names = grid.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard !names.contains(""), Set(names).count == names.count else {
            throw PlainFailure(
                .usage, "--grid: \(quoted(grid)) is not a list of different grids such as velocity,thickness")
        }
        return names
    }
}
