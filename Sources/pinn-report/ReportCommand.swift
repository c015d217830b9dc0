import ArgumentParser
import CommandSupport
import Export
import Fields
import Report
import Runs

@main
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pinn-report",
        abstract: "Shows the results of a run as one HTML page.",
        discussion: """
            Reads pinn-run/ (made by pinn-train) and the store that it was trained on. The page has maps of data, prediction, \
            misfits, viscosity and equation residuals, histograms, the loss history, the configuration and the provenance. \
            It is self-contained: open it from disk, send it, print it.
            """)

    @Argument(help: "The file to write. (default: report.html; with --png none)") var report: String?
    @Option(name: .customLong("run"), help: "Folder of the run.") var runPath = "pinn-run"
    @Option(help: "The point store. (default: the one recorded in the run)") var store: String?
    @Option(help: ArgumentHelp("Write the maps as PNG files into this folder.", valueName: "folder")) var png: String?
    @OptionGroup var device: DeviceOptions
    @OptionGroup var common: CommonOptions

    static func main() {
        StopRequest.install()
        runCommand(ReportCommand.self, section: "report")
    }

    func run() throws {
        let page = report ?? (png == nil ? "report.html" : nil)
        if let page { try Report.checkOutput(page) }
        if let png { try makeFolder(png) }
        let directory = RunDirectory(runPath)
        let run = try TrainedRun(in: directory, store: store, maxHistories: Report.maxHistories) {
            printMessage("warning: \($0)")
        }
        func prediction(derived: Bool) throws -> Prediction {
            try Prediction(run.checkpoint, members: run.members, store: run.store, derived: derived) { problem in
                let (points, parts) = Report.memory(run, fields: problem.programs[0].program.outputs.count)
                return try device.makeBackend(problem, points: points, parts: parts)
            }
        }
        var progress = Progress("drawing", total: Report.work(run), unit: "points")
        var done = 0
        let drawn = try Report(
            run, in: directory, full: try prediction(derived: true), plain: try prediction(derived: false)
        ) {
            try StopRequest.check()
            done += $0
            progress.update(done)
        }
        progress.finish(done)
        let source = "iteration \(run.checkpoint.iteration) of \(runPath)"
        if let page {
            try drawn.write(to: page, command: ProgramArguments.all.map(shellWord).joined(separator: " "))
            try printResult("\(page): \(source); open it in a browser")
        }
        if let png {
            let names = try drawn.writeMaps(to: png)
            try printResult("\(png): \(names.count) maps of \(source): \(names.joined(separator: ", "))")
        }
    }
}
