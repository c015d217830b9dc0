import ArgumentParser
import CommandSupport
import Evaluation
import Export
import Fields
import Ingest
import Runs

@main
struct EvalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pinn-eval",
        abstract: "Tells how far a trained network is from known fields.",
        discussion: """
            Compares mu, u, v and h, whichever of them the files hold under their usual names (viscosity, VX, vx, \
            thickness, ...), with the newest checkpoint of the run, at the files' own cells on the run's ice. No export is \
            needed, and the grids may differ from those of the run.

            The relative L2 error of a field is ||predicted - true|| / ||true||. Median, 95 % (exceeded by a twentieth of \
            the cells) and largest are those of |predicted - true| / |true|, cell by cell. Of an ensemble the mean of its \
            members counts, and how much of the error their standard deviation covers is told as well.
            """)

    @Argument(help: "NetCDF files with true fields; the products themselves will do.") var truth: [String]
    @Option(name: .customLong("run"), help: "Folder of the run.") var runPath = "pinn-run"
    @Option(help: "The point store. (default: the one that the run names)") var store: String?
    @Option(help: "What to print.") var format = ReportFormat.text
    @Option(help: "Where to compute: \(Backends.names.joined(separator: ", ")).") var backend = "auto"
    @Option(help: "Precision of products, on a GPU or as on one: \(Backends.precisions.joined(separator: ", ")).")
    var precision = "fp32"
    @Option(help: "Threads. (default: all cores)") var threads: Int?
    @OptionGroup var common: CommonOptions

    static func main() {
        ProductReader.begin("pinn-eval", check: StopRequest.check)
        StopRequest.install()
        runCommand(EvalCommand.self, section: "eval")
    }

    func validate() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads: \(threads) is not from 1 to 1024")
        }
    }

    func run() throws {
        let run = try TrainedRun(in: RunDirectory(runPath), store: store) { printMessage("warning: \($0)") }
        let model = run.checkpoint.configuration.model
        // What follows, too: a truth file tells the viscosity where the hardness is inferred.
        let quantities = model.unknowns + model.derived.map(\.quantity)
        let prediction = try Prediction(
            run.checkpoint, members: run.members, store: run.store, names: quantities.map(\.symbol)
        ) {
            try Backends.make("\(backend):\(precision)", $0, threads: threads)
        }
        let evaluation = Evaluation(
            shelf: run.store.description.grids, ice: run.store.description.ice, storePath: run.store.path,
            quantities: quantities
        ) { x, y in
            let fields = try prediction.fields(x: x, y: y)
            return Dictionary(
                uniqueKeysWithValues: quantities.enumerated().map { number, quantity in
                    let deviations = fields.deviations.isEmpty ? nil : fields.deviations[number]
                    return (quantity, Evaluation.Estimate(values: fields.values[number], deviations: deviations))
                })
        }
        let errors = try StopRequest.ending {
            try truth.flatMap { try evaluation.errors(against: $0, report: StopRequest.check) }
        }
        let report = EvaluationReport(
            run: runPath, iteration: run.checkpoint.iteration, members: run.members.count,
            ice: run.store.description.ice,
            errors: errors)
        print(try report.rendered(as: format))
    }
}
