import ArgumentParser
import CommandSupport
import Evaluation
import Export
import Fields
import Ingest
import Planning
import Runs

@main
struct EvalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pinn-eval",
        abstract: "Measures the errors of a trained network against known fields.",
        discussion: """
            Compares mu, u, v and h, whichever of them the files hold under their usual names (viscosity, VX, vx, \
            thickness, ...), with the newest checkpoint of the run, at the files' own cells on the run's ice. No export is \
            needed, and the grids may differ from those of the run.

            The relative L2 error of a field is ||predicted - true|| / ||true||. Median, 95 % (exceeded by a twentieth of \
            the cells) and largest are those of |predicted - true| / |true|, cell by cell. Of an ensemble the mean of its \
            members counts, and the report says how much of the error their standard deviation covers; of one network too, with \
            --standard-deviations.
            """)

    @Argument(help: "NetCDF files with true fields, or the products themselves.") var truth: [String]
    @Option(name: .customLong("run"), help: "Folder of the run.") var runPath = "pinn-run"
    @Option(help: "The point store. (default: the one that the run names)") var store: String?
    @Option(help: "What to print.") var format = ReportFormat.text
    @OptionGroup var deviations: DeviationOptions
    @OptionGroup var device: DeviceOptions
    @OptionGroup var common: CommonOptions

    static func main() {
        ProductReader.begin("pinn-eval", ProgramArguments.all, check: StopRequest.check)
        StopRequest.install()
        runCommand(EvalCommand.self, section: "eval")
    }

    func run() throws {
        let run = try TrainedRun(in: RunDirectory(runPath), store: store) { printMessage("warning: \($0)") }
        let model = run.checkpoint.configuration.model
        // Derived quantities too: a truth file holds the viscosity where the hardness is inferred.
        let quantities = model.unknowns + model.derived.map(\.quantity)
        if deviations.standardDeviations {
            try run.requireCovariance()
            if let note = run.noteOnDeviations { printMessage("warning: \(note)") }
        }
        let prediction = try predictions(of: run, quantities.map(\.symbol))
        let evaluation = Evaluation(
            shelf: run.store.description.grids, ice: run.store.description.ice, storePath: run.store.path,
            quantities: quantities,
            admit: { try device.requireRoom(for: [.init(name: "a band of \($0)", bytes: $1)]) }
        ) { x, y in
            let fields = try prediction.fields(x: x, y: y, check: StopRequest.check)
            let estimates = quantities.indices.map {
                (values: fields.values[$0], deviations: fields.deviations.isEmpty ? nil : fields.deviations[$0])
            }
            return Dictionary(uniqueKeysWithValues: zip(quantities, estimates))
        }
        let errors = try StopRequest.ending {
            try truth.flatMap { try evaluation.errors(against: $0, report: StopRequest.check) }
        }
        let report = EvaluationReport(
            run: runPath, iteration: run.checkpoint.iteration, members: run.members.count,
            ice: run.store.description.ice,
            errors: errors)
        try printResult(report.rendered(as: format))
    }

    /// The run's network or networks at so many fields, with a covariance where standard deviations are asked for.
    private func predictions(of run: TrainedRun, _ names: [String]) throws -> Prediction {
        var prediction = try Prediction(
            run.checkpoint, members: run.members, store: run.store, names: names
        ) { problem in
            let points = Evaluation.portion
            let work = Prediction.byteCount(points: points, fields: names.count, members: run.members.count)
            var parts = [MemoryEstimate.Part(name: "cells that are compared", bytes: work)]
            if deviations.standardDeviations { parts.append(Prediction.memoryOfDeviations(problem, points: points)) }
            return try device.makeBackend(problem, points: points, parts: parts)
        }
        if deviations.standardDeviations {
            prediction.covariance = try run.covariance(
                noiseCorrelation: deviations.noiseCorrelation, makeBackend: device.makeBackend,
                report: deviations.report())
        }
        return prediction
    }
}
