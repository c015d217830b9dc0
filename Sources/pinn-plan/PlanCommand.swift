import ArgumentParser
import CommandSupport
import Fields
import Optimizers
import Planning
import PointStore
import Runs

@main
struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pinn-plan",
        abstract: "Says how much memory, disk and time a training run takes, without running it.",
        discussion: """
            Times follow from unit times: seconds for a point and a thousand iterations. That of this machine is measured \
            (a few seconds) where neither --unit-time nor --instances is given. Two times are told: that of pinn-train, \
            which takes a chunk of the points in each iteration, and ETCT, the expected total computation time where every \
            iteration takes every point. ETRT, the expected total real time, is that of all instances together: once for work \
            that can be divided at will, once for independent jobs of whole points, dealt as well as possible.

            A unit time holds for the size of job that it was measured with: a GPU that takes 0.0014 s at 65,536 points may \
            take 0.0042 s at 4,096, which is --points-per-job 4096 --instances 32:0.0042.
            """)

    @Option(help: "Collocation points.", transform: count) var points = 100_000_000
    @Option(help: "Iterations.", transform: count) var iterations = 100_000
    @Option(help: "Hidden layers and their width; 6x40+6x40 for two networks.") var network = TrainingConfiguration()
        .network
    @Option(help: "Rows and columns of tiles with networks of their own.") var tiles = TrainingConfiguration().tiles
    @Option(help: "Standard deviation of Fourier features' frequencies; none+8 for two networks.")
    var fourier = TrainingConfiguration().fourier
    @Option(help: "How the weights are moved: \(OptimizerCatalog.all.map { $0.name }.joined(separator: ", ")).")
    var optimizer = TrainingConfiguration().optimizer
    @Option(help: "Networks of an ensemble, trained one after the other.") var ensemble = TrainingConfiguration()
        .ensemble
    @Option(help: "Points of an iteration, as pinn-train has it.") var stream = "chunk=65536"
    @Option(help: "Collocation points, as pinn-train has it: uniform, rad, r3.") var sampling = TrainingConfiguration()
        .sampling
        .description
    @Option(
        help: "Cells with observations, of velocity and of thickness each (Amery: 200 thousand).", transform: count)
    var observations = 200_000
    @Option(help: "Points of the calving front.", transform: count) var front = 1000
    @Option(help: "Seconds for a point and a thousand iterations on this machine. (default: measured)")
    var unitTime: Double?
    @Option(
        help: ArgumentHelp(
            "Machines to share the work: how many of a kind, and the unit time of one, as in 32:0.0014,40:0.1264.",
            valueName: "count:unit-time,..."))
    var instances: String?
    @Option(help: "Points of an independent job. (default: the chunk)", transform: count) var pointsPerJob: Int?
    @Option(help: "Hours of a day in which the instances work. (default: 24)") var hoursPerDay: Double?
    @Option(help: "Where to compute: \(Backends.names.joined(separator: ", ")).") var backend = "auto"
    @Option(help: "Precision of products, on a GPU or as on one: \(Backends.precisions.joined(separator: ", ")).")
    var precision = "fp32"
    @Option(help: "Threads. (default: all cores)") var threads: Int?
    @Option(help: "What to print.") var format = ReportFormat.text
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
        _ = try kinds()
        // Here, not when it runs: a configuration is checked by parsing it.
        _ = try plan()
    }

    /// As a training run would have it, but for what does not change what it takes.
    private func plan() throws -> TrainingConfiguration {
        var plan = TrainingConfiguration()
        try plan.set("network", to: .text(network))
        try plan.set("tiles", to: .text(tiles))
        try plan.set("fourier", to: .text(fourier))
        try plan.set("optimizer", to: .text(optimizer))
        try plan.set("stream", to: .text(stream))
        try plan.set("sampling", to: .text(sampling))
        plan.iterations = iterations
        plan.ensemble = ensemble
        try plan.validate()
        return plan
    }

    /// The machines of `--instances`.
    private func kinds() throws -> [NodeType] {
        try (instances ?? "").split(separator: ",", omittingEmptySubsequences: instances == nil).map {
            guard let kind = NodeType(parsing: String($0)) else {
                throw ValidationError(
                    "--instances: \(quoted(String($0))) is not COUNT:UNIT-TIME, a whole number from 1 to 1e9 and seconds for a point and a thousand iterations from 1e-12 to 1e6, such as 32:0.0014"
                )
            }
            return kind
        }
    }

    func run() throws {
        var plan = try plan()
        // A set that has fewer points than its share of a chunk gives all that it has.
        plan.stream.chunk = min(plan.stream.chunk, points)
        plan.stream.sample = min(plan.stream.sample, points)
        plan.stream.data = min(plan.stream.data, observations)
        plan.stream.front = min(plan.stream.front, front)
        let store = StoreDescription.assumed(collocation: points, observations: observations, front: front)
        let objective = try plan.objective(for: store)
        let sizes = store.sizes(plan.stream)
        let used = threads ?? Backends.defaultThreads
        let held = ProcessMemory.now
        let memory = try MemoryEstimate(
            plan, objective: objective, sizes: sizes,
            backend: try Backends.memory(
                backend, objective.residualProblem, counts: objective.sets.map { sizes[$0] ?? 0 }, threads: used),
            threads: used, reservedPerThread: Backends.reservedPerThread, held: held.withOpenStore)
        let kinds = try kinds()
        if kinds.isEmpty {
            for (option, isGiven) in [
                ("--hours-per-day", hoursPerDay != nil), ("--points-per-job", pointsPerJob != nil),
            ] where isGiven {
                printMessage("warning: \(option) has no effect without --instances")
            }
        }
        let calibration =
            unitTime == nil && kinds.isEmpty
            ? try Calibration(
                plan, store: store, backend: precision == "fp32" ? backend : "\(backend):\(precision)", threads: used)
            : nil
        let time = TimeEstimate(
            points: points, iterations: iterations * plan.ensemble, work: StreamedWork(objective, sizes: sizes),
            unitTime: unitTime ?? calibration?.unitTime, instances: kinds,
            pointsPerJob: pointsPerJob ?? plan.stream.chunk, hoursPerDay: hoursPerDay ?? 24)
        let report = PlanReport(
            configuration: plan, parameters: objective.residualProblem.networks.parameterCount, memory: memory,
            disk: try DiskEstimate(plan, objective: objective), storeBytes: StoreWriter.byteCount(store), time: time,
            unitTimeSource: calibration?.source ?? unitTime.map { _ in "given with --unit-time" },
            limits: MemoryLimit.all(holding: held),
            gpu: try Backends.ownMemory(backend, objective.residualProblem, precision: precision))
        print(try report.rendered(as: format))
    }
}
