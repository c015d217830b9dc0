import ArgumentParser
import CommandSupport
import Fields
import Optimizers
import Physics
import Runs
import Training

@main
struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pinn-train",
        abstract: "Trains a physics-informed network on a point store.",
        discussion: """
            Reads pinn-store.nc (made by pinn-ingest) and writes pinn-run/: checkpoints, the loss history and the plan. \
            Ctrl-C, SIGTERM and SIGUSR1 finish the iteration, write a checkpoint and exit with status 75; --resume goes on \
            exactly from there.
            """)

    @Argument(help: "The point store. (default: pinn-store.nc)") var store: String?
    @Option(name: .customLong("store"), help: "The same as an option, for TOML files.") var storeOption: String?
    @Option(
        help:
            "Points of an iteration: chunk=N collocation points, data=N observations of velocity and of thickness each, front=N, sample=N collocation points for optimizers that keep theirs. (default: \(StreamPlan().description); data and front follow chunk)"
    )
    var stream: String?
    @Option(
        help:
            "Iterations in total, over all resumptions. (default: as many as visit 1e7 collocation points, from 1000 to 10000)"
    )
    var iterations: Count?
    @Option(
        help:
            "How the weights are moved: \(OptimizerCatalog.all.map { $0.name }.joined(separator: ", ")); or one after the other, each for so many iterations: adam:2000,lbfgs:2000. (default: adam)"
    )
    var optimizer: String?
    @Option(
        help:
            "Hidden layers and their width; 6x40+6x40: one network for what is observed (u, v, h), one for what is inferred (mu). (default: \(Plan().network))"
    ) var network: String?
    @Option(
        help:
            "The equations: \(EquationCatalog.models.map(\.name).joined(separator: ", ")). (default: \(Plan().physics))"
    )
    var physics: String?
    @Option(help: "Where to compute: \(Backends.names.joined(separator: ", ")).") var backend = "auto"
    @Option(help: "Threads; results do not depend on it. (default: all cores)") var threads: Int?
    @Option(name: .customLong("run"), help: "Folder of the run.") var runPath = "pinn-run"
    @Flag(help: "Go on with the run in the folder.") var resume = false
    @Option(help: "Seed of weights and order. (default: 0)") var seed: UInt64?
    @Option(help: "Seconds between checkpoints.") var checkpointEvery = 60.0
    @Option(help: "Learning rate after the warm-up. (default: \(LearningRateSchedule().peak))") var learningRate:
        Double?
    @Option(help: "Iterations of rising learning rate. (default: \(LearningRateSchedule().warmUp))") var warmUp: Int?
    @Option(
        help: "Iterations in which the learning rate halves; 0: never. (default: \(LearningRateSchedule().halfLife))")
    var halfLife: Int?
    @Option(help: "Weight of the velocity misfit. (default: \(Plan().weights.velocity))") var velocityWeight: Double?
    @Option(help: "Weight of the thickness misfit. (default: \(Plan().weights.thickness))") var thicknessWeight: Double?
    @Option(help: "Weight of the misfit of the surface's height. (default: \(Plan().weights.surface))")
    var surfaceWeight: Double?
    @Option(help: "Weight of the equations. (default: \(Plan().weights.equation))") var equationWeight: Double?
    @Option(help: "Weight of the calving-front stress. (default: \(Plan().weights.front))") var frontWeight: Double?
    @Option(
        help:
            "Weight of what the physics prefers where data and equations do not tell. (default: \(Plan().weights.prior))"
    )
    var priorWeight: Double?
    @Option(help: "Gravity [m s-2]. (default: \(Constants().gravity))") var gravity: Double?
    @Option(help: "Density of ice [kg m-3]. (default: \(Constants().iceDensity))") var iceDensity: Double?
    @Option(help: "Density of sea water [kg m-3]. (default: \(Constants().seaWaterDensity))") var seaWaterDensity:
        Double?
    @Option(
        help: "Hardness of ice where the viscosity is not inferred [Pa s^(1/3)]. (default: \(Constants().hardness))")
    var hardness: Double?
    @Option(help: "m in the drag of the bed C^2 |u|^(m-1) u. (default: \(Constants().slidingExponent))")
    var slidingExponent: Double?
    @OptionGroup var common: CommonOptions

    static func main() {
        StopRequest.install()
        runCommand(TrainCommand.self, section: "train")
    }

    func validate() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads: \(threads) is not from 1 to 1024")
        }
        if !(checkpointEvery > 0 && checkpointEvery <= 1e9) {
            throw ValidationError("--checkpoint-every: \(checkpointEvery) is not a number of seconds from 0 to 1e9")
        }
    }

    mutating func run() throws {
        let directory = RunDirectory(runPath)
        let saved = try savedCheckpoint(in: directory)
        let plan = try resolvedPlan(saved?.plan, done: saved?.iteration ?? 0)
        // The store is opened before the run's folder is made: a mistyped path leaves nothing behind.
        var admission: Admission?
        let assembly = try Assembly(plan) { store, objective in
            admission = try Admission(
                plan, store, objective, run: directory, backend: backend, threads: threads, resumes: saved != nil)
        } makeBackend: {
            try Backends.make(backend, $0, threads: threads)
        }
        try directory.acquire()
        if saved == nil { try requireEmpty(directory) }

        showPlan(assembly, saved, admission)
        var trainer =
            if let saved {
                try Trainer(resuming: saved, assembly, in: directory)
            } else {
                try Trainer(starting: assembly, in: directory)
            }
        var progress = Progress("training", total: plan.iterations, unit: "iterations", from: saved?.iteration ?? 0)
        var rate = PointRate()
        var last = ""
        let outcome = try trainer.run(
            checkpointEvery: .seconds(checkpointEvery), shouldStop: { StopRequest.isPending },
            report: { now in
                rate.add(now.points)
                progress.update(now.iteration) { summary(now, rate, assembly) }
                if now.iteration >= plan.iterations || StopRequest.isPending { last = summary(now, rate, assembly) }
            })
        switch outcome {
        case .complete(let checkpoint):
            progress.finish(plan.iterations, details: last)
            print(
                "\(checkpoint): \(plan.iterations) iterations; next: pinn-export prediction.nc\(runPath == "pinn-run" ? "" : " --run \(shellWord(runPath))")"
            )
        case .stopped(let iteration, let checkpoint):
            progress.finish(iteration, details: last)
            throw StoppedEarly(
                "stopped at iteration \(iteration) of \(plan.iterations), saved as \(checkpoint); go on with the same command and --resume"
            )
        }
    }

    /// The checkpoint to resume; nil for a new run.
    private func savedCheckpoint(in directory: RunDirectory) throws -> Checkpoint? {
        guard resume else { return nil }
        try Admission.requireRoom(toRead: directory)
        return try directory.newestCheckpoint(report: { printMessage("warning: \($0)") })
    }

    private func requireEmpty(_ directory: RunDirectory) throws {
        guard !directory.checkpoints.isEmpty else { return }
        let newest = try directory.newestCheckpoint(report: { printMessage("warning: \($0)") })
        throw RunError.alreadyStarted(run: runPath, iteration: newest.iteration)
    }

    /// The plan of the options over the saved one or the defaults; what a resumed run may not change is refused.
    private func resolvedPlan(_ saved: Plan?, done: Int) throws -> Plan {
        var plan = saved ?? Plan()
        if let path = store ?? storeOption { plan.store = path }
        let given: [(name: String, value: OptionValue?)] = [
            ("stream", stream.map { .text($0) }), ("optimizer", optimizer.map { .text($0) }),
            ("network", network.map { .text($0) }), ("physics", physics.map { .text($0) }),
            ("seed", seed.map { .text(String($0)) }), ("learning-rate", learningRate.map { .number($0) }),
            ("warm-up", warmUp.map { .whole($0) }), ("half-life", halfLife.map { .whole($0) }),
            ("velocity-weight", velocityWeight.map { .number($0) }),
            ("thickness-weight", thicknessWeight.map { .number($0) }),
            ("equation-weight", equationWeight.map { .number($0) }), ("front-weight", frontWeight.map { .number($0) }),
            ("prior-weight", priorWeight.map { .number($0) }),
            ("gravity", gravity.map { .number($0) }), ("ice-density", iceDensity.map { .number($0) }),
            ("sea-water-density", seaWaterDensity.map { .number($0) }), ("hardness", hardness.map { .number($0) }),
            ("sliding-exponent", slidingExponent.map { .number($0) }),
            ("surface-weight", surfaceWeight.map { .number($0) }),
        ]
        for case (let name, let value?) in given { try plan.set(name, to: value) }
        if let iterations {
            plan.iterations = iterations.value
        } else if saved == nil {
            plan.iterations = try plan.phases().iterations ?? min(10_000, max(1000, 10_000_000 / plan.stream.chunk))
        }
        try plan.validate()
        if plan.iterations < done {
            throw PlanError.alreadyBeyond(iterations: plan.iterations, done: done, run: runPath)
        }
        if let saved, let change = plan.change(from: saved) {
            throw PlanError.changedOnResume(
                option: change.option, asked: change.mine, saved: change.theirs, run: runPath)
        }
        return plan
    }

    private func showPlan(_ assembly: Assembly, _ saved: Checkpoint?, _ admission: Admission?) {
        let plan = assembly.plan
        let counts = assembly.objective.sets.map {
            "\(assembly.stream.size($0)) of \(assembly.store.count($0)) \($0.rawValue)"
        }
        printMessage("store      \(plan.store), an epoch is \(assembly.stream.iterationsPerEpoch) iterations")
        printMessage("points     \(counts.joined(separator: ", ")) an iteration")
        if assembly.stream.size(.collocation) < plan.stream.chunk {
            printMessage(
                "warning: the store holds \(assembly.store.count(.collocation)) collocation points, fewer than the chunk of \(plan.stream.chunk); every iteration takes all of them (pinn-ingest --points makes more)"
            )
        }
        printMessage(
            "network    \(assembly.objective.workload.networks.description), \(assembly.objective.workload.networks.parameterCount) weights, seed \(plan.seed)"
        )
        printMessage(
            "physics    \(plan.physics), g \(plan.gravity) m s-2, ice \(plan.iceDensity), sea water \(plan.seaWaterDensity) kg m-3"
        )
        for note in assembly.densityNotes { printMessage("warning: \(note)") }
        printMessage(
            "optimizer  \(plan.optimizer), learning rate \(plan.learningRate.peak), \(plan.iterations) iterations")
        printMessage("backend    \(assembly.backend.summary); \(assembly.backend.parallelism)")
        for line in admission?.lines(
            plan, collocation: assembly.store.count(.collocation), chunk: assembly.stream.size(.collocation)) ?? []
        {
            printMessage(line)
        }
        guard let saved else { return }
        printMessage("resuming   at iteration \(saved.iteration)")
        if saved.backend != assembly.backend.summary {
            printMessage(
                "warning: the run was made with \(quoted(saved.backend)); it goes on, but may differ in the last bits")
        }
    }

    private func summary(_ now: TrainingProgress, _ rate: PointRate, _ assembly: Assembly) -> String {
        let terms = zip(assembly.objective.terms, now.loss.terms).map { "\($0.name) \(scientific($1))" }
        return "loss \(scientific(now.loss.total))  \(terms.joined(separator: "  "))  \(rate.text)"
    }

    private func scientific(_ value: Double) -> String {
        guard value.isFinite, value > 0 else { return "\(value)" }
        var exponent = 0
        var mantissa = value
        while mantissa >= 9.995 { mantissa /= 10; exponent += 1 }
        while mantissa < 0.9995 { mantissa *= 10; exponent -= 1 }
        return "\((mantissa * 100).rounded() / 100)e\(exponent)"
    }
}

/// Points of all sets a second, over the whole call.
private struct PointRate {
    private let begin = ContinuousClock.now
    private var points = 0

    mutating func add(_ count: Int) { points += count }

    var text: String {
        let seconds = (ContinuousClock.now - begin) / .seconds(1)
        return seconds > 0 ? "\(Int(Double(points) / seconds)) points/s" : ""
    }
}
