import ArgumentParser
import Benchmarks
import CommandSupport
import ComputeCPU
import Fields
import Foundation
import Ingest

@main
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pinn-bench",
        abstract: "Measures the speed of training, streaming, ingest and export on this machine.",
        discussion: """
            For each number of points and cores: the time of 2,000 training steps (loss, gradient, Adam), the unit time (seconds \
            per point and thousand iterations), and the rate relative to OpenBLAS's matrix product on the same cores, \
            interleaved with the steps. --what adds iterations streamed from a store of 1e8 points (0.9 GB, temporary), \
            ingest, and export. Leave the machine idle while it runs.

            Example: pinn-bench --what step,stream --format markdown --save baseline.json
            """)

    @Option(help: ArgumentHelp("What to measure, separated by commas: \(Names.stages); or all.", valueName: "stages"))
    var what = "step"

    @Option(help: ArgumentHelp("Numbers of points, separated by commas.", valueName: "counts"))
    var points = "1024,4096,16384,65536,262144"

    @Option(
        help: ArgumentHelp(
            "Numbers of threads, separated by commas. (default: 1, 2, 4, ... and all cores)", valueName: "counts"))
    var threads: String?

    @Option(help: ArgumentHelp("Hidden layers and their width; 6x40+6x40 for two networks.", valueName: "LxW"))
    var network = "8x128"

    @Option(
        help: ArgumentHelp(
            "What a step computes: shallow-shelf, equation and misfit at the same points; diffice, DIFFICE_jax's sets of points.",
            valueName: "name"))
    var problem = "shallow-shelf"

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

    private enum Names {
        static let stages = BenchmarkPlan.Stage.allCases.map(\.rawValue).joined(separator: ", ")
    }

    static func main() {
        ProductReader.begin("pinn-bench", ProgramArguments.all, check: StopRequest.check)
        runCommand(BenchCommand.self, section: "bench")
    }

    func validate() throws {
        if !(seconds > 0 && seconds < 1e6) { throw ValidationError("--seconds: \(seconds) is not a positive number") }
        if counts(points, upTo: 100_000_000) == nil {
            throw ValidationError(
                "--points: '\(points)' is not a list of whole numbers up to 1e8 such as 1024,4096")
        }
        if let threads, counts(threads, upTo: 1024) == nil {
            throw ValidationError("--threads: '\(threads)' is not a list of whole numbers from 1 to 1024 such as 1,2,4")
        }
        if stages == nil { throw ValidationError("--what: '\(what)' is not a list of \(Names.stages), or all") }
    }

    func run() throws {
        if let row {
            let result = try BenchmarkTask(argument: row).run {
                try Backends.make($0, $1, threads: $2)
            }
            return print(String(decoding: result, as: UTF8.self))
        }
        StopRequest.install()
        // Checks files before the work.
        let before = try compare.map { try BenchmarkReport(reading: $0) }
        if let save { try BenchmarkReport.checkWritable(save) }
        let plan = try plan()
        var report = BenchmarkPlan.emptyReport(label: label)
        do {
            try plan.run(
                into: &report, say: printMessage,
                begin: { printMessage("\($1 + 1)/\($2) \($0)") }, shouldStop: { StopRequest.isPending })
        } catch {
            // Rows take minutes: finished ones are shown whatever ended the run.
            if !report.isEmpty { try show(report, before.map { Comparison(report, against: $0) }) }
            if error is BenchmarkStopped { try StopRequest.check() }
            throw error
        }
        // Shown before the file is written, which a full disk could prevent.
        try show(report, before.map { Comparison(report, against: $0) })
        if let save { try report.write(to: save) }
    }

    // MARK: Options

    private var stages: [BenchmarkPlan.Stage]? {
        if what == "all" { return BenchmarkPlan.Stage.allCases }
        let names = what.split(separator: ",", omittingEmptySubsequences: false)
        let stages = names.compactMap { BenchmarkPlan.Stage(rawValue: String($0)) }
        return stages.count == names.count ? stages : nil
    }

    private func counts(_ list: String, upTo most: Int) -> [Int]? {
        let items = list.split(separator: ",", omittingEmptySubsequences: false)
        let counts = items.compactMap { wholeNumber($0) }
        guard counts.count == items.count, counts.allSatisfy({ $0 <= most }) else { return nil }
        // Duplicates are measured once.
        return counts.enumerated().filter { !counts[..<$0.offset].contains($0.element) }.map(\.element)
    }

    private func plan() throws -> BenchmarkPlan {
        var plan = BenchmarkPlan()
        plan.stages = stages ?? []
        plan.points = counts(points, upTo: 100_000_000) ?? []
        plan.network = network
        plan.problem = problem
        plan.seconds = seconds
        plan.streamPoints = streamPoints
        plan.chunk = min(chunk, streamPoints)
        if plan.stages.contains(.stream), plan.chunk < chunk {
            printMessage("--chunk: the store has only \(plan.chunk) points, and an iteration takes all of them")
        }
        plan.ingestPoints = ingestPoints
        plan.exportCells = exportCells
        plan.scratch = scratch
        plan.devices = try devices(for: plan)
        return plan
    }

    /// The CPU with every number of threads, and the other devices of this machine.
    private func devices(for plan: BenchmarkPlan) throws -> [BenchmarkPlan.Device] {
        let threadCounts =
            threads.flatMap { counts($0, upTo: 1024) }
            ?? BenchmarkPlan.threadCounts(cores: CPUBackend.availableCores)
        let names =
            (backend == "all" ? Backends.available : [backend])
            .map { $0 == "cuda" ? "cuda:\(precision)" : $0 }
        var devices: [BenchmarkPlan.Device] = []
        for name in names {
            do {
                // Checks before the first row that the device exists and accepts the network.
                let problem = try StepProblem.named(plan.problem, plan.network)
                let made = try Backends.make(name, problem.residualProblem, threads: 1)
                devices +=
                    made is CPUBackend
                    ? threadCounts.map { .init(backend: "cpu", threads: $0) } : [.init(backend: name, threads: nil)]
            } catch  where backend == "all" && name != "cpu" {
                printMessage("\(name) is skipped: \(error)")
            }
        }
        return devices
    }

    // MARK: Results

    private struct Results: Encodable {
        let report: BenchmarkReport
        let comparison: Comparison?
    }

    private func show(_ report: BenchmarkReport, _ comparison: Comparison?) throws {
        let tables = report.tables + [comparison?.table].compactMap { $0 }
        switch format {
        case .text:
            print(([report.heading] + tables.map { $0.rendered(as: .text) }).joined(separator: "\n\n"))
        case .markdown:
            print(([report.heading] + tables.map { $0.rendered(as: .markdown) }).joined(separator: "\n\n"))
        case .json:
            let data =
                if let comparison { try JSON.encode(Results(report: report, comparison: comparison)) } else {
                    try JSON.encode(report)
                }
            print(String(decoding: data, as: UTF8.self))
        }
    }
}
