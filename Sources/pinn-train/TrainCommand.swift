import ArgumentParser
import CommandSupport
import Fields
import Objective
import Optimizers
import Planning
import Physics
import Runs
import Training

@main
struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pinn-train",
        abstract: "Trains a physics-informed network on a point store.",
        discussion: """
            Reads pinn-store.nc (made by pinn-ingest) and writes pinn-run/: checkpoints, the loss history and the configuration. \
            Ctrl-C, SIGTERM and SIGUSR1 finish the iteration, write a checkpoint and exit with status 75; --resume goes on \
            exactly from there.
            """)

    @Argument(help: "The point store. (default: pinn-store.nc)") var store: String?
    @Option(name: .customLong("store"), help: "The same as an option, for TOML files.") var storeOption: String?
    @Option(
        help:
            "Points of an iteration: chunk=N collocation points, data=N observations of velocity and of thickness each, front=N, sample=N collocation points for optimizers that keep theirs. (default: \(TrainingConfiguration.defaultStream.description); where chunk is given, data and front follow it)"
    )
    var stream: String?
    @Option(
        help:
            "Collocation points: uniform, or drawn by their residuals: rad (rad:k=1,c=1,every=500,candidates=4), r3 (r3:every=500). (default: uniform)"
    )
    var sampling: String?
    @Option(
        help:
            "Iterations in total, over all resumptions. (default: those that --optimizer names; else as many as visit 1e7 collocation points, from 1000 to 10000)",
        transform: count
    )
    var iterations: Int?
    @Option(
        help:
            "When to end: total, with the last iteration; flat, before it, where a method that keeps its points has lowered the loss in the last \(PlateauCriterion.window) iterations by no more than fitting noise does. (default: flat; with --iterations total)"
    )
    var stop: String?
    @Option(
        help:
            "How the weights are moved: \(OptimizerCatalog.all.map { $0.name }.joined(separator: ", ")); or one after the other, each for so many iterations: adam:2000,lbfgs:2000. (default: \(TrainingConfiguration.defaultOptimizer); with --stream, or networks of more than 12,000 weights, \(TrainingConfiguration().optimizer))"
    )
    var optimizer: String?
    @Option(
        help:
            "Hidden layers and their width; 6x40+6x40: one network for what is observed (u, v, h), one for what is inferred (mu). (default: \(TrainingConfiguration.defaultNetwork); with --stream \(TrainingConfiguration().network))"
    ) var network: String?
    @Option(
        help:
            "Rows and columns of overlapping tiles over the shelf's box, each with the networks of --network: for what is sharper than one network resolves. (default: \(TrainingConfiguration().tiles))"
    ) var tiles: String?
    @Option(
        help:
            "Fourier features in place of x and y: standard deviation of their frequencies, in radians where the shelf (a tile) is from -1 to 1; none+8: for mu's network only. (default: \(TrainingConfiguration().fourier))"
    ) var fourier: String?
    @Option(
        help:
            "The equations: \(EquationCatalog.models.map(\.name).joined(separator: ", ")). (default: \(TrainingConfiguration().physics))"
    )
    var physics: String?
    @Option(help: "Where to compute: \(Backends.names.joined(separator: ", ")).") var backend = "auto"
    @Option(help: "Precision of products, on a GPU or as on one: \(Backends.precisions.joined(separator: ", ")).")
    var precision = "fp32"
    @Option(help: "Threads; results do not depend on it. (default: all cores)") var threads: Int?
    @Option(name: .customLong("run"), help: "Folder of the run.") var runPath = "pinn-run"
    @Flag(help: "Go on with the run in the folder.") var resume = false
    @Option(help: "Seed of weights and order. (default: 0)") var seed: UInt64?
    @Option(
        help:
            "Train so many networks one after the other, with seeds that follow --seed: export then writes their mean and standard deviation. (default: \(TrainingConfiguration().ensemble))"
    )
    var ensemble: Int?
    @Option(
        help:
            "Observations as they are: none; or each with a random weight that follows the seed, so that an ensemble's spread tells what their errors do: bootstrap. (default: bootstrap for an ensemble, none for one network)"
    )
    var resampling: String?
    @Option(help: "Seconds between checkpoints.") var checkpointEvery = 60.0
    @Option(
        help: ArgumentHelp(
            "Write loss, misfits and learning rate into this folder for TensorBoard, while training.",
            valueName: "folder"))
    var tensorboard: String?
    @Option(
        help:
            "How the learning rate falls: \(LearningRateSchedule.Decay.allCases.map(\.rawValue).joined(separator: ", ")); a cosine over its phase, to a hundredth. (default: \(LearningRateSchedule().decay.rawValue))"
    )
    var schedule: String?
    @Option(help: "Learning rate after the warm-up. (default: \(LearningRateSchedule().peak))") var learningRate:
        Double?
    @Option(help: "Iterations of rising learning rate. (default: \(LearningRateSchedule().warmUp))") var warmUp: Int?
    @Option(
        help: "Iterations in which the learning rate halves; 0: never. (default: \(LearningRateSchedule().halfLife))")
    var halfLife: Int?
    @Option(help: "Weight of the velocity misfit. (default: \(TrainingConfiguration().weights.velocity))")
    var velocityWeight: Double?
    @Option(help: "Weight of the thickness misfit. (default: \(TrainingConfiguration().weights.thickness))")
    var thicknessWeight: Double?
    @Option(help: "Weight of the misfit of the surface's height. (default: \(TrainingConfiguration().weights.surface))")
    var surfaceWeight: Double?
    @Option(help: "Weight of the equations. (default: \(TrainingConfiguration().weights.equation))") var equationWeight:
        Double?
    @Option(help: "Weight of the calving-front stress. (default: \(TrainingConfiguration().weights.front))")
    var frontWeight: Double?
    @Option(
        help:
            "Balance of the terms: none, by their weights alone; gradient, by the norms of their gradients. (default: \(TrainingConfiguration().balance.rawValue))"
    )
    var balance: String?
    @Option(
        help:
            "Weight of what the physics prefers where data and equations do not tell, in parts of the loss of all other terms. (default: \(TrainingConfiguration().weights.prior))"
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
            throw ValidationError(
                "--checkpoint-every: \(checkpointEvery) is not a positive number of seconds up to 1e9")
        }
    }

    mutating func run() throws {
        let directory = RunDirectory(runPath)
        let saved = resume ? try directory.ensemblePlan() : nil
        if saved != nil || ensemble ?? 1 > 1 {
            try trainEnsemble(saved, in: directory)
        } else {
            try trainOne(in: directory)
        }
    }

    private func trainOne(in directory: RunDirectory) throws {
        let saved = resume ? try savedCheckpoint(in: directory) : nil
        let configuration = try resolvedPlan(saved?.configuration)
        if let saved { try requireSame(configuration, saved) }
        let end = try train(configuration, saved, in: directory) {
            try directory.acquire()
            if saved == nil { try requireEmpty(directory) }
        }
        print("\(end.checkpoint): \(end.iteration) iterations; next: \(nextCommand)")
    }

    /// Trains member after member; what is complete is passed over, what was stopped goes on.
    private func trainEnsemble(_ saved: TrainingConfiguration?, in directory: RunDirectory) throws {
        let configuration = try resolvedPlan(saved)
        if let saved, configuration.ensemble < saved.ensemble {
            throw RunError.fewerMembers(asked: configuration.ensemble, run: runPath, members: saved.ensemble)
        }
        if resume, saved == nil {
            throw directory.checkpoints.isEmpty ? directory.nothingThere : RunError.noEnsemble(run: runPath)
        }
        var isFirst = true
        for number in 1...configuration.ensemble {
            let member = directory.member(number)
            let checkpoint = saved == nil || member.checkpoints.isEmpty ? nil : try savedCheckpoint(in: member)
            if let checkpoint {
                try requireSame(configuration.member(number), checkpoint)
                if checkpoint.iteration == configuration.iterations
                    || (configuration.stop == .flat && checkpoint.hasEnded)
                {
                    continue
                }
            }
            _ = try train(
                configuration.member(number), checkpoint, in: member,
                as: Member(number: number, of: configuration, directory: directory, isFirst: isFirst)
            ) {
                if isFirst {
                    try directory.acquire()
                    if saved == nil { try requireEmpty(directory) }
                    try directory.writePlan(configuration)
                }
                try member.acquire()
            }
            isFirst = false
        }
        let total =
            configuration.stop == .flat
            ? "\(configuration.iterations) iterations or fewer" : "\(configuration.iterations) iterations"
        print("\(runPath): \(configuration.ensemble) members of \(total); next: \(nextCommand)")
    }

    /// Which part of an ensemble a run is.
    private struct Member {
        let number: Int
        let of: TrainingConfiguration
        let directory: RunDirectory
        /// The configuration is shown and admitted with the first that is trained: others take the same.
        let isFirst: Bool
    }

    /// Trains to the configuration's end and returns the last checkpoint's path. `begin` is called once the store is known to be
    /// good, before the run's folder is made: a mistyped path leaves nothing behind.
    private func train(
        _ configuration: TrainingConfiguration, _ saved: Checkpoint?, in directory: RunDirectory,
        as member: Member? = nil,
        begin: () throws -> Void
    ) throws -> (iteration: Int, checkpoint: String) {
        var preflight: PreflightCheck?
        let context = try TrainingContext(configuration) { store, objective in
            guard member?.isFirst ?? true else { return }
            preflight = try PreflightCheck(
                member?.of ?? configuration, store, objective, run: member?.directory ?? directory, backend: backend,
                threads: threads, resumes: saved != nil)
        } makeBackend: {
            try Backends.make("\(backend):\(precision)", $0, threads: threads)
        }
        try begin()

        if member?.isFirst ?? true { showPlan(context, of: member?.of ?? configuration, saved, preflight) }
        if let member {
            printMessage(
                "member     \(member.number) of \(member.of.ensemble), seed \(configuration.seed), in \(directory.path)"
            )
        }
        var trainer =
            if let saved {
                try Trainer(resuming: saved, context, in: directory)
            } else {
                try Trainer(starting: context, in: directory)
            }
        let events = try tensorboard.map { folder in
            try TensorBoardLog(
                in: member.map { "\(folder)/member-\($0.number)" } ?? folder, configuration, context.objective.terms,
                from: saved?.iteration ?? 0)
        }
        defer { events?.close() }
        let phases = try configuration.phases().phases.map { (start: $0.start, name: $0.optimizer) }
        var progress = Progress(
            "training", total: configuration.iterations, unit: "iterations", from: saved?.iteration ?? 0, stages: phases
        )
        var rate = PointRate()
        var last: TrainingProgress?
        let outcome = try trainer.run(
            checkpointEvery: .seconds(checkpointEvery), shouldStop: { StopRequest.isPending },
            report: { now in
                rate.add(now.points)
                events?.add(now)
                progress.update(now.iteration) { summary(now, rate, context) }
                last = now
            })
        let details = last.map { summary($0, rate, context) } ?? ""
        switch outcome {
        case .complete(let iteration, let checkpoint):
            progress.finish(iteration, details: details)
            if iteration < configuration.iterations {
                printMessage(
                    "ended at iteration \(iteration) of \(configuration.iterations), since the loss is flat; --resume --stop total goes on"
                )
            }
            return (iteration, checkpoint)
        case .stopped(let iteration, let checkpoint):
            progress.finish(iteration, details: details)
            let whose = member.map { " of member \($0.number) of \($0.of.ensemble)" } ?? ""
            throw StoppedEarly(
                "stopped at iteration \(iteration) of \(configuration.iterations)\(whose), saved as \(checkpoint); go on with the same command and --resume"
            )
        }
    }

    private var nextCommand: String {
        "pinn-export prediction.nc\(runPath == "pinn-run" ? "" : " --run \(shellWord(runPath))")"
    }

    /// The checkpoint to resume.
    private func savedCheckpoint(in directory: RunDirectory) throws -> Checkpoint {
        try PreflightCheck.requireRoom(toRead: directory)
        return try directory.newestCheckpoint(report: { printMessage("warning: \($0)") })
    }

    private func requireEmpty(_ directory: RunDirectory) throws {
        for run in [directory, directory.member(1)] where !run.checkpoints.isEmpty {
            let newest = try run.newestCheckpoint(report: { printMessage("warning: \($0)") })
            throw RunError.alreadyStarted(run: runPath, iteration: newest.iteration)
        }
    }

    /// What a run that goes on may not change.
    private func requireSame(_ configuration: TrainingConfiguration, _ saved: Checkpoint) throws {
        if configuration.iterations < saved.iteration {
            throw OptionError.alreadyBeyond(iterations: configuration.iterations, done: saved.iteration, run: runPath)
        }
        if let change = configuration.change(from: saved.configuration) {
            throw OptionError.changedOnResume(
                option: change.option, asked: change.mine, saved: change.theirs, run: runPath)
        }
    }

    /// The configuration of the options over the saved one or the defaults.
    private func resolvedPlan(_ saved: TrainingConfiguration?) throws -> TrainingConfiguration {
        var configuration = saved ?? TrainingConfiguration()
        if let path = store ?? storeOption { configuration.store = path }
        let given: [(name: String, value: OptionValue?)] = [
            ("stream", stream.map { .text($0) }), ("sampling", sampling.map { .text($0) }),
            ("optimizer", optimizer.map { .text($0) }),
            ("network", network.map { .text($0) }), ("tiles", tiles.map { .text($0) }),
            ("fourier", fourier.map { .text($0) }), ("physics", physics.map { .text($0) }),
            ("seed", seed.map { .text(String($0)) }), ("ensemble", ensemble.map { .whole($0) }),
            ("resampling", resampling.map { .text($0) }), ("schedule", schedule.map { .text($0) }),
            ("learning-rate", learningRate.map { .number($0) }),
            ("warm-up", warmUp.map { .whole($0) }), ("half-life", halfLife.map { .whole($0) }),
            ("velocity-weight", velocityWeight.map { .number($0) }),
            ("thickness-weight", thicknessWeight.map { .number($0) }),
            ("equation-weight", equationWeight.map { .number($0) }), ("front-weight", frontWeight.map { .number($0) }),
            ("prior-weight", priorWeight.map { .number($0) }), ("surface-weight", surfaceWeight.map { .number($0) }),
            ("stop", stop.map { .text($0) }), ("balance", balance.map { .text($0) }),
            ("gravity", gravity.map { .number($0) }),
            ("ice-density", iceDensity.map { .number($0) }),
            ("sea-water-density", seaWaterDensity.map { .number($0) }), ("hardness", hardness.map { .number($0) }),
            ("sliding-exponent", slidingExponent.map { .number($0) }),
        ]
        for case (let name, let value?) in given { try configuration.set(name, to: value) }
        let names = Set(given.filter { $0.value != nil }.map(\.name) + (iterations == nil ? [] : ["iterations"]))
        if saved == nil { try configuration.fillInDefaults(given: names) }
        if let iterations {
            configuration.iterations = iterations
            if stop == nil { configuration.stop = .total }
        } else if saved == nil {
            configuration.iterations =
                try configuration.phases().iterations ?? min(10_000, max(1000, 10_000_000 / configuration.stream.chunk))
        }
        try configuration.validate()
        return configuration
    }

    private func showPlan(
        _ context: TrainingContext, of whole: TrainingConfiguration, _ saved: Checkpoint?, _ preflight: PreflightCheck?
    ) {
        let configuration = context.configuration
        let counts = context.objective.sets.map {
            "\(context.stream.size($0)) of \(context.store.count($0)) \($0.rawValue)"
        }
        printMessage(
            "store      \(configuration.store), \(context.store.accessDescription); an epoch is \(context.stream.iterationsPerEpoch) iterations"
        )
        printMessage("points     \(counts.joined(separator: ", ")) an iteration")
        if context.stream.size(.collocation) < configuration.stream.chunk {
            printMessage(
                "warning: the store holds \(context.store.count(.collocation)) collocation points, fewer than the chunk of \(configuration.stream.chunk); every iteration takes all of them (pinn-ingest --points makes more)"
            )
        }
        printMessage(
            "network    \(context.objective.residualProblem.networks.description), \(context.objective.residualProblem.networks.parameterCount) weights, seed \(configuration.seed)"
        )
        printMessage(
            "physics    \(configuration.physics), g \(configuration.gravity) m s-2, ice \(configuration.iceDensity), sea water \(configuration.seaWaterDensity) kg m-3"
        )
        printMessage("sampling   \(configuration.sampling.description)")
        for note in context.notes { printMessage("warning: \(note)") }
        printMessage(
            "optimizer  \(configuration.optimizer), learning rate \(configuration.learningRate.peak) \(configuration.learningRate.decay.rawValue), \(configuration.iterations) iterations"
        )
        printMessage("backend    \(context.backend.summary); \(context.backend.parallelism)")
        for line in preflight?.lines(
            whole, collocation: context.store.count(.collocation), chunk: context.stream.size(.collocation)) ?? []
        {
            printMessage(line)
        }
        guard let saved else { return }
        printMessage(
            saved.iteration < configuration.iterations
                ? "resuming   at iteration \(saved.iteration)"
                : "complete   all \(configuration.iterations) iterations are made; --iterations with a larger total goes on"
        )
        if saved.backend != context.backend.summary {
            printMessage(
                "warning: the run was made with \(quoted(saved.backend)); it goes on, but may differ in the last bits")
        }
    }

    private func summary(_ now: TrainingProgress, _ rate: PointRate, _ context: TrainingContext) -> String {
        let terms = zip(context.objective.terms, now.loss.meanSquares).map { term, square in
            "\(term.name) \(Figure.plain(square.squareRoot()))\(term.unit == "1" ? "" : " \(term.unit)")"
        }
        return "loss \(Figure.plain(now.loss.total))  \(terms.joined(separator: "  "))  \(rate.text)"
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
