import ArgumentParser
import CommandSupport
import Export
import Fields
import Runs

@main
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pinn-export",
        abstract: "Writes what a trained network predicts as CF NetCDF on the grids of the products.",
        discussion: """
            Reads pinn-run/ (made by pinn-train) and the store that it was trained on. The file holds u, v, h, mu, the \
            effective strain rate, the residuals of the momentum balance, the misfits to the data and the mask; of an \
            ensemble the mean of its members, with NAME_standard_deviation beside each field; xarray, QGIS \
            and Panoply open it in the right place.
            """)

    @Argument(help: "The file to write.") var prediction = "prediction.nc"
    @Option(name: .customLong("run"), help: "Folder of the run.") var runPath = "pinn-run"
    @Option(help: "The point store. (default: the one that the run names)") var store: String?
    @Option(
        help:
            "Grids of the products, behind commas: velocity, thickness. (default: all; the first at the root of the file, others in groups of their names)"
    )
    var grid: String?
    @Option(help: "Where to compute: \(Backends.names.joined(separator: ", ")).") var backend = "auto"
    @Option(help: "Threads. (default: all cores)") var threads: Int?
    @OptionGroup var common: CommonOptions

    static func main() {
        StopRequest.install()
        runCommand(ExportCommand.self, section: "export")
    }

    func validate() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads: \(threads) is not from 1 to 1024")
        }
    }

    func run() throws {
        try PredictionWriter.checkOutput(prediction)
        let run = try TrainedRun(in: RunDirectory(runPath), store: store) { printMessage("warning: \($0)") }
        let model = try Prediction(run.checkpoint, members: run.members, store: run.store) {
            try Backends.make(backend, $0, threads: threads)
        }
        let writer = try PredictionWriter(
            model, gridNames: try gridNames(),
            provenance: Provenance(command: CommandLine.arguments.map(shellWord).joined(separator: " ")))
        var progress = Progress("exporting", total: writer.cellCount, unit: "cells")
        try writer.write(to: prediction) {
            try StopRequest.check()
            progress.update($0)
        }
        progress.finish(writer.cellCount)
        let members = run.members.count > 1 ? ", mean and standard deviation of \(run.members.count) members" : ""
        print(
            "\(prediction): \(writer.cellCount) cells at iteration \(run.checkpoint.iteration) of \(runPath)\(members)")
    }

    private func gridNames() throws -> [String]? {
        guard let grid else { return nil }
        let names = grid.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard !names.contains(""), Set(names).count == names.count else { throw ExportError.badGridList(grid) }
        return names
    }
}
