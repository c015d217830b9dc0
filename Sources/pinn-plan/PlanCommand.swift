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

    @Option(help: "Collocation points.") var points = Count(100_000_000)
    @Option(help: "Iterations.") var iterations = Count(100_000)
    @Option(help: "Hidden layers and their width; 6x40+6x40 for two networks.") var network = Plan().network
    @Option(help: "How the weights are moved: \(OptimizerCatalog.all.map { $0.name }.joined(separator: ", ")).")
    var optimizer = Plan().optimizer
    @Option(help: "Points of an iteration, as pinn-train has it.") var stream = "chunk=65536"
    @Option(help: "Cells with observations, of velocity and of thickness each (Amery: 200 thousand).")
    var observations = Count(200_000)
    @Option(help: "Points of the calving front.") var front = Count(1000)
    @Option(help: "Seconds for a point and a thousand iterations on this machine. (default: measured)")
    var unitTime: Double?
    @Option(
        help: ArgumentHelp(
            "Machines to share the work: how many of a kind, and the unit time of one, as in 32:0.0014,40:0.1264.",
            valueName: "count:unit-time,..."))
    var instances: String?
    @Option(help: "Points of an independent job. (default: the chunk)") var pointsPerJob: Count?
    @Option(help: "Hours of a day in which the instances work.") var hoursPerDay = 24.0
    @Option(help: "Where to compute: \(Backends.names.joined(separator: ", ")).") var backend = "auto"
    @Option(help: "Threads. (default: all cores)") var threads: Int?
    @Option(help: "What to print: \(PlanReport.Format.allCases.map(\.rawValue).joined(separator: ", ")).")
    var format = "text"
    @OptionGroup var common: CommonOptions

    static func main() {
        runCommand(PlanCommand.self, section: "plan")
    }

    func validate() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads: \(threads) is not from 1 to 1024")
        }
        if let unitTime, !(unitTime.isFinite && unitTime > 0) {
            throw ValidationError("--unit-time: \(unitTime) is not a positive number of seconds")
        }
        if !(hoursPerDay > 0 && hoursPerDay <= 24) {
            throw ValidationError("--hours-per-day: \(hoursPerDay) is not from 0 to 24")
        }
        if PlanReport.Format(rawValue: format) == nil {
            throw ValidationError(
                "--format: no \(quoted(format)); known: \(PlanReport.Format.allCases.map(\.rawValue).joined(separator: ", "))"
            )
        }
        _ = try kinds()
    }

    /// The machines of `--instances`.
    private func kinds() throws -> [InstanceKind] {
        try (instances ?? "").split(separator: ",", omittingEmptySubsequences: instances == nil).map {
            guard let kind = InstanceKind(parsing: String($0)) else {
                throw ValidationError(
                    "--instances: \(quoted(String($0))) is not COUNT:UNIT-TIME, a whole number and seconds for a point and a thousand iterations, such as 32:0.0014"
                )
            }
            return kind
        }
    }

    func run() throws {
        var plan = Plan()
        try plan.set("network", to: .text(network))
        try plan.set("optimizer", to: .text(optimizer))
        try plan.set("stream", to: .text(stream))
        plan.iterations = iterations.value
        try plan.validate()

        let store = StoreDescription.assumed(
            collocation: points.value, observations: observations.value, front: front.value)
        let objective = try plan.objective(for: store)
        let sizes = store.sizes(plan.stream)
        let used = threads ?? Backends.defaultThreads
        let held = ProcessMemory.now
        let memory = try MemoryPlan(
            plan, objective: objective, sizes: sizes,
            backend: try Backends.memory(
                backend, objective.workload, counts: objective.sets.map { sizes[$0] ?? 0 }, threads: used),
            threads: used, reservedPerThread: Backends.reservedPerThread, held: held.withOpenStore)
        let kinds = try kinds()
        let calibration =
            unitTime == nil && kinds.isEmpty
            ? try Calibration(
                network: plan.network, chunk: plan.stream.chunk, backend: backend, threads: used) : nil
        let time = TimePlan(
            points: points.value, iterations: iterations.value, work: StreamedWork(objective, sizes: sizes),
            unitTime: unitTime ?? calibration?.unitTime, instances: kinds,
            pointsPerJob: pointsPerJob?.value ?? plan.stream.chunk, hoursPerDay: hoursPerDay)
        let report = PlanReport(
            plan: plan, parameters: objective.workload.networks.parameterCount, memory: memory,
            disk: try DiskPlan(plan, objective: objective), storeBytes: StoreWriter.byteCount(store), time: time,
            unitTimeSource: calibration?.source ?? "given with --unit-time", limits: MemoryLimit.all(holding: held))
        print(try report.rendered(as: PlanReport.Format(rawValue: format) ?? .text))
    }
}
