import Fields
import Glibc
import Planning
import PointStore
import Runs

/// A run that has a checkpoint, with the store that it was trained on; of an ensemble, the weights of every member. This is the
/// one place that decides what a prediction reads of a checkpoint: nothing of the optimizer's state, which can be hundreds of
/// times as long as the weights.
public struct TrainedRun {
    /// Of the run, or of the ensemble's first member with the configuration of all and without a history; without the
    /// optimizer's state.
    public let checkpoint: Checkpoint
    /// Weights of every network of the run.
    public let members: [[Float]]
    /// The loss history of the run, or of an ensemble's members where they were asked for.
    public let histories: [History]
    public let store: StoreReader

    /// - Parameters:
    ///   - storePath: nil for the one that the run names.
    ///   - maxHistories: members of an ensemble of which the loss history is read.
    ///   - report: called with a message for each checkpoint that is skipped.
    public init(
        in run: RunDirectory, store storePath: String?, maxHistories: Int = 0, report: (String) -> Void
    ) throws {
        func newest(_ directory: RunDirectory, _ contents: Checkpoint.Contents) throws -> Checkpoint {
            try directory.newestCheckpoint(contents, admit: MemoryEstimate.requireRoom, report: report)
        }
        let ensemble = try run.ensemblePlan()
        let checkpoints =
            try ensemble.map { configuration in
                let members = (1...configuration.ensemble).map { run.member($0) }.filter { !$0.checkpoints.isEmpty }
                let checkpoints = try members.enumerated().map { try newest($1, $0 < maxHistories ? .history : []) }
                try TrainedRun.check(checkpoints, of: configuration, run, report: report)
                return checkpoints
            } ?? [newest(run, .history)]
        members = checkpoints.map(\.parameters)
        histories = checkpoints.prefix(ensemble == nil ? 1 : maxHistories).map(\.history)
        var first = checkpoints[0]
        if ensemble != nil { first.history = History(termNames: []) }
        first.trainedSeconds = checkpoints.reduce(0) { $0 + $1.trainedSeconds }
        first.configuration.ensemble = members.count
        checkpoint = first
        let path = try storePath ?? TrainedRun.store(of: checkpoint.configuration, run)
        store = try StoreReader(path: path) { try MemoryEstimate.requireRoom(toRead: path, bytes: $0) }
        for expected in checkpoints.map(\.storeFingerprint) where !store.has(fingerprint: expected) {
            throw PlainFailure(
                "\(path): has the fingerprint \(store.fingerprint), the run was trained on a store with \(expected); name the right store with --store"
            )
        }
    }

    /// The store under the name that the run knows: from here, or from the folder in which the run lies, since a run is mostly
    /// trained there.
    private static func store(of configuration: TrainingConfiguration, _ run: RunDirectory) throws -> String {
        let beside = run.path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        let candidates = [configuration.store, (beside + [Substring(configuration.store)]).joined(separator: "/")]
        guard let path = candidates.first(where: { access($0, F_OK) == 0 }) else {
            throw PlainFailure(
                .missingInput,
                "\(configuration.store): no such file; the run in \(run.path) was trained on it under that name, say where it is with --store"
            )
        }
        return path
    }

    /// Warns of an ensemble that is not complete, and refuses one of different networks.
    private static func check(
        _ checkpoints: [Checkpoint], of configuration: TrainingConfiguration, _ run: RunDirectory,
        report: (String) -> Void
    ) throws {
        if checkpoints.isEmpty { throw run.nothingThere }
        let iterations = checkpoints.map(\.iteration)
        let isWhole = checkpoints.allSatisfy {
            $0.iteration == configuration.iterations || (configuration.stop == .flat && $0.hasEnded)
        }
        if checkpoints.count < configuration.ensemble || !isWhole {
            report(
                "\(run.path): \(checkpoints.count) of \(configuration.ensemble) members have checkpoints, at iterations \(iterations.map(String.init).joined(separator: ", ")) of \(configuration.iterations); 'pinn-train --resume' goes on"
            )
        }
        let shapes = checkpoints.map(\.configuration.network.shapes)
        for other in shapes where other != shapes[0] {
            throw PlainFailure(
                "\(run.path): its members are networks of different shapes, \(other) and \(shapes[0]); a folder was changed, train again with --run DIR"
            )
        }
    }
}
