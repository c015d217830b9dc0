import ArgumentParser
import Benchmarks
import CommandSupport
import ComputeCPU
import Fields
import Foundation
import Ingest

extension Problem: ExpressibleByArgument {}

enum Stage: String, CaseIterable {
    case step, jacobian, stream, ingest, export

    static let names = allCases.map(\.rawValue).joined(separator: ", ")

    /// Of names separated by commas.
    @Sendable static func list(_ text: String) throws -> [Stage] {
        if text == "all" { return allCases }
        return try text.split(separator: ",", omittingEmptySubsequences: false).map {
            guard let stage = Stage(rawValue: String($0)) else {
                throw ValidationError("it must be a list of \(names), or all")
            }
            return stage
        }
    }
}

/// Whole numbers separated by commas, each once.
@Sendable private func counts(_ text: String, upTo most: Int) throws -> [Int] {
    unique(
        try text.split(separator: ",", omittingEmptySubsequences: false).map {
            guard let count = wholeNumber($0), count <= most else {
                throw ValidationError("it must be a list of whole numbers from 1 to \(most) such as 1,2,4")
            }
            return count
        })
}

@main
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pinn-bench",
        abstract: "Measures the speed of training, streaming, ingest and export on this machine.",
        discussion: """
            For each number of points and cores: the time of 2,000 training steps (loss, gradient, Adam), the unit time (seconds \
            per point and thousand iterations), and the rate relative to OpenBLAS's matrix product on the same cores, \
            interleaved with the steps. --what adds the products of a Jacobian (of --network, or 4x32+4x32), iterations streamed from a store of 1e8 points (0.9 GB, temporary), \
            ingest, and export. Leave the machine idle while it runs.

            Example: pinn-bench --what step,stream --format markdown --save baseline.json
            """)

    @Option(
        help: ArgumentHelp(
            "What to measure, separated by commas: \(Stage.names); or all. (default: step)", valueName: "stages"),
        transform: Stage.list)
    var what = [Stage.step]

    @Option(
        help: ArgumentHelp(
            "Numbers of points, separated by commas. (default: 1024,4096,16384,65536,262144)", valueName: "counts"),
        transform: { try counts($0, upTo: 100_000_000) })
    var points = [1024, 4096, 16384, 65536, 262_144]

    @Option(
        help: ArgumentHelp(
            "Numbers of threads, separated by commas. (default: 1, 2, 4, ... and all cores)", valueName: "counts"),
        transform: { try counts($0, upTo: 1024) })
    var threads = Machine.threadCounts(cores: CPUBackend.availableCores)

    @Option(
        help: ArgumentHelp(
            "Hidden layers and their width; 6x40+6x40 for two networks. (default: 8x128)", valueName: "LxW"))
    var network: String?

    @Option(
        help: ArgumentHelp(
            "What a step computes: shallow-shelf, equation and misfit at the same points; diffice, DIFFICE_jax's sets of points.",
            valueName: "name"))
    var problem = Problem.shallowShelf

    @Option(help: "Approximate duration of each row; at least three steps.")
    var seconds = 5.0

    @Option(help: "Where to compute: all (whatever this machine has), \(Backends.names.joined(separator: ", ")).")
    var backend = "all"

    @Option(help: "Precision of matrix products: \(Backends.precisions.joined(separator: ", ")).")
    var precision = "fp32"

    @Option(
        help: ArgumentHelp("Collocation points of the streamed store.", valueName: "count"), transform: count)
    var streamPoints = 100_000_000

    @Option(help: ArgumentHelp("Collocation points of a streamed iteration.", valueName: "count"), transform: count)
    var chunk = 65536

    @Option(help: ArgumentHelp("Collocation points that ingest writes.", valueName: "count"), transform: count)
    var ingestPoints = 10_000_000

    @Option(help: ArgumentHelp("Cells that export predicts.", valueName: "count"), transform: count)
    var exportCells = 1_000_000

    @Option(
        help: ArgumentHelp(
            "Folder for temporary stores of --what stream, ingest and export.", valueName: "folder"))
    var scratch = "."

    @Option(help: "Output format: text, markdown, json.")
    var format = ReportFormat.text

    @Option(help: ArgumentHelp("Also write the results here, as JSON.", valueName: "file"))
    var save: String?

    @Option(help: ArgumentHelp("Results written earlier by --save, to compare with.", valueName: "file"))
    var compare: String?

    @Option(help: ArgumentHelp("Name of this run in the results.", valueName: "text"))
    var label: String?

    /// In a child process: the task to run; prints its result as JSON.
    @Option(help: .hidden) var row: String?

    @OptionGroup var common: CommonOptions

    static func main() {
        ProductReader.begin("pinn-bench", ProgramArguments.all, check: StopRequest.check)
        runCommand(BenchCommand.self, section: "bench")
    }

    func validate() throws {
        if !(seconds > 0 && seconds < 1e6) { throw ValidationError("--seconds: \(seconds) is not a positive number") }
    }

    func run() throws {
        if let row {
            followParent()
            let task = try JSON.decode(BenchmarkTask.self, from: Data(row.utf8))
            return try printResult(JSON.text(try task.run { try Backends.make($0, $1, threads: $2) }))
        }
        StopRequest.install()
        // Checks files before the work.
        let before = try compare.map { try BenchmarkReport(reading: $0) }
        if let save { try BenchmarkReport.checkWritable(save) }
        var report = BenchmarkReport(label: label)
        do {
            try measure(into: &report)
        } catch {
            // Rows take minutes: finished ones are shown whatever ended the run.
            if !report.isEmpty { try show(report, before.map { Comparison(report, against: $0) }) }
            throw error
        }
        // Shown before the file is written, which a full disk could prevent.
        try show(report, before.map { Comparison(report, against: $0) })
        if let save { try report.write(to: save) }
    }

    // MARK: Results

    private struct Results: Encodable {
        let report: BenchmarkReport
        let comparison: Comparison
    }

    private func show(_ report: BenchmarkReport, _ comparison: Comparison?) throws {
        let tables = report.tables + [comparison?.table].compactMap { $0 }
        switch format {
        case .text, .markdown:
            let style = format == .markdown ? Table.Style.markdown : .text
            try printResult(([report.heading] + tables.map { $0.rendered(as: style) }).joined(separator: "\n\n"))
        case .json:
            let results: any Encodable = comparison.map { Results(report: report, comparison: $0) } ?? report
            try printResult(JSON.text(results))
        }
    }
}
