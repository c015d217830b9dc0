import CommandSupport
import Fields
import Planning
import Runs
import Training

/// A single run, and the members of an ensemble, each of which is one.
extension TrainCommand {
    func trainOne(in directory: RunDirectory) throws {
        let before = ProcessMemory.now.withOpenStore
        var saved = resume ? try savedCheckpoint(in: directory) : nil
        let memory = saved == nil ? .none : ProcessMemory.now - before
        let configuration = try configuration(resuming: saved?.configuration)
        if let saved { try requireSame(configuration, saved) }
        let begin = saved?.iteration
        var preflight: PreflightCheck?
        let end = try train(configuration, saved.take(), memory, in: directory, preflight: &preflight) {
            if let begin {
                try directory.requireFree(after: begin, upTo: configuration.iterations)
            } else {
                try directory.acquire(report: note)
            }
        }
        try printResult("\(end.checkpoint): \(end.iteration) iterations; next: \(nextCommand)")
    }

    /// Trains member after member: skips those that are complete, resumes those that were stopped.
    func trainEnsemble(resuming saved: TrainingConfiguration?, in directory: RunDirectory) throws {
        let configuration = try configuration(resuming: saved)
        if let saved, configuration.ensemble < saved.ensemble {
            throw RunError.fewerMembers(asked: configuration.ensemble, run: runPath, members: saved.ensemble)
        }
        if resume, saved == nil {
            throw directory.checkpoints.isEmpty ? directory.nothingThere : RunError.noEnsemble(run: runPath)
        }
        if saved != nil {
            for number in 1...configuration.ensemble { try directory.member(number).requireMember() }
        }
        var preflight: PreflightCheck?
        for number in 1...configuration.ensemble {
            let member = EnsembleMember(number: number, ensemble: configuration, directory: directory)
            let run = directory.member(number)
            let before = ProcessMemory.now.withOpenStore
            let isNew = saved == nil || run.checkpoints.isEmpty
            if !isNew { try run.acquire(resuming: true, report: note) }
            var checkpoint = isNew ? nil : try savedCheckpoint(in: run)
            if let checkpoint {
                try requireSame(member.configuration, checkpoint)
                if checkpoint.isComplete(for: configuration) { continue }
                try run.requireFree(after: checkpoint.iteration, upTo: configuration.iterations)
            }
            let memory = checkpoint == nil ? .none : ProcessMemory.now - before
            let isFirst = preflight == nil
            _ = try train(member.configuration, checkpoint.take(), memory, in: run, as: member, preflight: &preflight) {
                if isFirst {
                    if saved == nil { try directory.acquire(report: note) }
                    try directory.writePlan(configuration)
                }
                if isNew { try run.acquire(report: note) }
            }
        }
        let orFewer = configuration.stop == .flat ? " or fewer" : ""
        try printResult(
            "\(runPath): \(configuration.ensemble) members of \(configuration.iterations) iterations\(orFewer); next: \(nextCommand)"
        )
    }

    /// Trains to the configuration's end and returns the last checkpoint's path.
    ///
    /// - Parameters:
    ///   - saved: the checkpoint to resume; given away, for its optimizer's arrays become the run's.
    ///   - memory: what reading the checkpoint took.
    ///   - preflight: made and shown, with the plan, for the first member that is trained: the others need the same.
    ///   - begin: called once the store is known to be good, before the run's folder is made: a mistyped path leaves nothing
    ///     behind.
    private func train(
        _ configuration: TrainingConfiguration, _ saved: consuming Checkpoint?, _ memory: ProcessMemory,
        in directory: RunDirectory,
        as member: EnsembleMember? = nil, preflight: inout PreflightCheck?, begin: () throws -> Void
    ) throws -> (iteration: Int, checkpoint: String) {
        let isFirst = preflight == nil
        let resumed = saved.map { (iteration: $0.iteration, backend: $0.backend) }
        let whole = member?.ensemble ?? configuration
        var context = try TrainingContext(configuration) { store, objective in
            guard isFirst else { return }
            preflight = try PreflightCheck(
                whole, store, objective, run: member?.directory ?? directory, threads: threads,
                resumed: memory)
        } makeBackend: {
            try Backends.make(
                "\(configuration.backend):\(configuration.precision.rawValue)", $0, threads: threads)
        }
        context.keepsFixedBatch = preflight?.memory.keepsFixedBatch ?? false
        try begin()
        if isFirst { PrintedPlan(of: whole, context, preflight, resuming: resumed).show() }
        if let member {
            printMessage(
                "member     \(member.number) of \(whole.ensemble), seed \(configuration.seed), in \(directory.path)")
        }
        var trainer =
            switch consume saved {
            case .some(let checkpoint): try Trainer(resuming: consume checkpoint, context, in: directory)
            case .none: Trainer(starting: context, in: directory)
            }
        var display = try TrainingDisplay(
            context, from: resumed?.iteration ?? 0, tensorboard: tensorboard, member: member)
        defer { display.close() }
        let outcome = try trainer.run(
            checkpointEvery: .seconds(checkpointEvery), shouldStop: { StopRequest.isPending },
            report: { display.update($0) }, warn: { printMessage("warning: \($0)") })
        switch outcome {
        case .complete(let iteration, let checkpoint):
            display.finish(iteration)
            if iteration < configuration.iterations {
                printMessage(
                    "ended at iteration \(iteration) of \(configuration.iterations), since the loss is flat; --resume --stop total continues"
                )
            }
            return (iteration, checkpoint)
        case .stopped(let iteration, let checkpoint):
            display.finish(iteration)
            let whose = member.map { " of member \($0.number) of \($0.ensemble.ensemble)" } ?? ""
            throw StoppedEarly(
                "stopped at iteration \(iteration) of \(configuration.iterations)\(whose), saved as \(checkpoint); continue with the same command and --resume"
            )
        }
    }

    // MARK: what is there already

    func note(_ text: String) { printMessage("note: \(text)") }

    /// The checkpoint to resume.
    private func savedCheckpoint(in directory: RunDirectory) throws -> Checkpoint {
        try PreflightCheck.requireRoom(toRead: directory)
        return try directory.newestCheckpoint(report: { printMessage("warning: \($0)") })
    }

    /// Checks what a resumed run may not change.
    private func requireSame(_ configuration: TrainingConfiguration, _ saved: Checkpoint) throws {
        if configuration.iterations < saved.iteration {
            throw OptionError.alreadyBeyond(iterations: configuration.iterations, done: saved.iteration, run: runPath)
        }
        if let change = configuration.change(from: saved.configuration) {
            throw OptionError.changedOnResume(
                option: change.option, asked: change.mine, saved: change.theirs, run: runPath)
        }
    }

    private var nextCommand: String {
        "pinn-export prediction.nc\(runPath == "pinn-run" ? "" : " --run \(shellWord(runPath))")"
    }
}

/// Which part of an ensemble a run is.
struct EnsembleMember {
    /// Counted from 1.
    let number: Int
    let ensemble: TrainingConfiguration
    /// Of the whole ensemble.
    let directory: RunDirectory

    var configuration: TrainingConfiguration { ensemble.member(number) }
}

extension Checkpoint {
    fileprivate func isComplete(for configuration: TrainingConfiguration) -> Bool {
        iteration == configuration.iterations || (configuration.stop == .flat && hasEnded)
    }
}
