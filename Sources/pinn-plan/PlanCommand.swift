import ArgumentParser
import CommandSupport
import Fields
import Planning
import PointStore
import Runs

@main
struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pinn-plan",
        abstract: "Says how much memory, disk and time a training run takes, without running it.",
        discussion: """
            Speed is measured by the unit time: seconds per point and 1000 iterations. That of this machine is measured \
            (a few seconds) where neither --unit-time nor --instances is given. Two times are printed: that of pinn-train, \
            which takes a chunk of the points in each iteration, and ETCT, the expected total computation time where every \
            iteration takes every point. ETRT, the expected total real time, is that of all instances together: once for work \
            that can be divided arbitrarily, once for independent jobs of whole points in the best distribution.

            A unit time is valid for the size of job that it was measured with: a GPU that takes 0.0014 s at 65,536 points \
            may take 0.0042 s at 4,096, which is --points-per-job 4096 --instances 32:0.0042.

            Takes all training options of pinn-train, so that --config pinn-run/plan.toml plans a run again; the store, and \
            those that change neither size nor work, have no effect.
            """)

    /// A run that takes weeks, with the network that was published.
    enum Defaults: TrainingDefaults {
        static let values = [
            "stream": "chunk=65536", "iterations": "100000", "network": "8x128", "optimizer": "adam", "stop": "total",
        ]
    }

    @Option(help: "Collocation points. (default: 1e8)", transform: count) var points = 100_000_000
    @Option(
        help: "Cells with observations, of velocity and of thickness each (Amery: 200 thousand). (default: 200000)",
        transform: count)
    var observations = 200_000
    @Option(help: "Points of the calving front. (default: 1000)", transform: count) var front = 1000
    @Option(help: "Unit time of this machine: seconds per point and 1000 iterations. (default: measured)")
    var unitTime: Double?
    @Option(
        help: ArgumentHelp(
            "Machines that share the work: how many of a type, and the unit time of one, as in 32:0.0014,40:0.1264.",
            valueName: "count:unit-time,..."))
    var instances: String?
    @Option(help: "Points of an independent job. (default: the chunk)", transform: count) var pointsPerJob: Int?
    @Option(help: "Hours of a day in which the instances work. (default: 24)") var hoursPerDay: Double?
    @Option(help: "Threads. (default: all cores)") var threads: Int?
    @Option(help: "What to print.") var format = ReportFormat.text
    @OptionGroup(title: "TRAINING OPTIONS") var training: TrainingOptions<Defaults>
    @OptionGroup var common: CommonOptions

    static func main() {
        runCommand(PlanCommand.self, section: "plan")
    }

    func validate() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads: \(threads) is not from 1 to 1024")
        }
        if let unitTime, !NodeType.unitTimes.contains(unitTime) {
            throw ValidationError("--unit-time: \(unitTime) is not from 1e-12 to 1e6 seconds")
        }
        if let hoursPerDay, !(0.01...24).contains(hoursPerDay) {
            throw ValidationError("--hours-per-day: \(hoursPerDay) is not from 0.01 to 24")
        }
        _ = try nodeTypes()
        // Here, not when it runs: the parser's messages name the file of `--config` where that is wrong.
        _ = try trainingConfiguration()
    }

    private func trainingConfiguration() throws -> TrainingConfiguration {
        try TrainingConfiguration(
            Defaults.values.merging(training.given) { _, given in given }, resuming: nil)
    }

    /// The machines of `--instances`.
    private func nodeTypes() throws -> [NodeType] {
        try (instances ?? "").split(separator: ",", omittingEmptySubsequences: instances == nil).map {
            guard let type = NodeType(parsing: String($0)) else {
                throw ValidationError(
                    "--instances: \(quoted(String($0))) is not COUNT:UNIT-TIME, a whole number from 1 to 1e9 and seconds per point and 1000 iterations from 1e-12 to 1e6, such as 32:0.0014"
                )
            }
            return type
        }
    }

    func run() throws {
        var configuration = try trainingConfiguration()
        // A set with fewer points than its share of a chunk contributes all of them.
        configuration.stream.chunk = min(configuration.stream.chunk, points)
        configuration.stream.sample = min(configuration.stream.sample, points)
        configuration.stream.data = min(configuration.stream.data, observations)
        configuration.stream.front = min(configuration.stream.front, front)
        let store = StoreDescription.assumed(collocation: points, observations: observations, front: front)
        let objective = configuration.objective(for: store)
        let sizes = store.sizes(configuration.stream)
        let threads = threads ?? Backends.defaultThreads
        let baseline = ProcessMemory.now
        let limits = MemoryLimit.all(holding: baseline)
        let memory = MemoryEstimate(
            configuration, objective: objective, sizes: sizes,
            backend: try Backends.memory(
                configuration.backend, objective.residualProblem, counts: objective.sets.map { sizes[$0] ?? 0 },
                threads: threads),
            threads: threads, reservedPerThread: Backends.reservedPerThread, baseline: baseline.withOpenStore
        ).fitted(to: limits)
        let nodeTypes = try nodeTypes()
        if nodeTypes.isEmpty { warnOfIdleOptions() }
        let calibration =
            unitTime == nil && nodeTypes.isEmpty ? try Calibration(configuration, store: store, threads: threads) : nil
        let time = TimeEstimate(
            points: points, iterations: configuration.iterations * configuration.ensemble,
            work: StreamedWork(objective, sizes: sizes, configuration), unitTime: unitTime ?? calibration?.unitTime,
            instances: nodeTypes, pointsPerJob: pointsPerJob ?? configuration.stream.chunk,
            hoursPerDay: hoursPerDay ?? 24)
        let report = PlanReport(
            configuration: configuration, parameters: objective.residualProblem.networks.parameterCount,
            memory: memory, disk: DiskEstimate(configuration, objective: objective),
            storeBytes: StoreWriter.byteCount(store), time: time,
            unitTimeSource: calibration?.source ?? unitTime.map { _ in "given with --unit-time" }, limits: limits,
            gpu: try Backends.ownMemory(
                configuration.backend, objective.residualProblem, precision: configuration.precision.rawValue))
        try printResult(report.rendered(as: format))
    }

    private func warnOfIdleOptions() {
        for (option, isGiven) in [
            ("--hours-per-day", hoursPerDay != nil), ("--points-per-job", pointsPerJob != nil),
        ] where isGiven {
            printMessage("warning: \(option) has no effect without --instances")
        }
    }
}
