import ArgumentParser
import CommandSupport
import Fields
import Planning
import PointStore
import Runs
import Training

@main
struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pinn-train",
        abstract: "Trains a physics-informed network on a point store.",
        discussion: """
            Reads pinn-store.nc (made by pinn-ingest) and writes pinn-run/: checkpoints, the loss history and the plan. \
            Ctrl-C, SIGTERM and SIGUSR1 end it within seconds with a checkpoint and status 75; --resume continues exactly from \
            there.
            """)

    /// Every training option has its own default.
    enum Defaults: TrainingDefaults { static let values: [String: String] = [:] }

    @Argument(help: "The point store. (default: pinn-store.nc)") var store: String?
    @Option(name: .customLong("run"), help: "Folder of the run.") var runPath = "pinn-run"
    @Flag(help: "Resume the run in the folder.") var resume = false
    @Option(help: "Threads; results do not depend on it. (default: all cores)") var threads: Int?
    @Option(help: "Seconds between checkpoints.") var checkpointEvery = 60.0
    @Option(
        help: ArgumentHelp(
            "Write loss, misfits and learning rate into this folder for TensorBoard, while training.",
            valueName: "folder"))
    var tensorboard: String?
    @OptionGroup(title: "TRAINING OPTIONS") var training: TrainingOptions<Defaults>
    @OptionGroup var common: CommonOptions

    static func main() {
        StopRequest.install()
        runCommand(TrainCommand.self, section: "train")
    }

    func validate() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads: \(threads) is not from 1 to 1024")
        }
        for (option, path) in [("run", runPath), ("tensorboard", tensorboard)] where path == "" {
            throw ValidationError("--\(option): the folder's name is empty")
        }
        if !(checkpointEvery > 0 && checkpointEvery <= 1e9) {
            throw ValidationError(
                "--checkpoint-every: \(checkpointEvery) is not a positive number of seconds up to 1e9")
        }
    }

    mutating func run() throws {
        let directory = RunDirectory(runPath)
        // Locked before anything of the run is read: another process may be at work there.
        if resume { try directory.acquire(resuming: true, report: note) }
        let saved = resume ? try directory.ensemblePlan() : nil
        if try saved != nil || asksForEnsemble() {
            try trainEnsemble(resuming: saved, in: directory)
        } else {
            try trainOne(in: directory)
        }
    }

    private func asksForEnsemble() throws -> Bool {
        var asked = TrainingConfiguration()
        if let text = training.given["ensemble"] { try asked.set("ensemble", to: text) }
        return asked.ensemble > 1
    }

    /// What the options ask for, over the configuration of a run that is resumed or over the defaults.
    func configuration(resuming saved: TrainingConfiguration?) throws -> TrainingConfiguration {
        var given = training.given
        if let store { given["store"] = store }
        return try TrainingConfiguration(given, resuming: saved) { path in
            let store = try StoreReader(path: path) { try MemoryEstimate.requireRoom(toRead: path, bytes: $0) }
            return try ObservationNoise.share(in: store)
        }
    }
}
