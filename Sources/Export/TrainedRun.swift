import Fields
import Glibc
import PointStore
import Runs

/// A run that has a checkpoint, with the store that it was trained on; of an ensemble, the weights of every member.
public struct TrainedRun {
    /// Of the run, or of the ensemble's first member with the configuration of all.
    public let checkpoint: Checkpoint
    /// Weights of every network of the run.
    public let members: [[Float]]
    public let store: StoreReader

    /// - Parameters:
    ///   - storePath: nil for the one that the run names.
    ///   - report: told of each checkpoint that was passed over.
    public init(in run: RunDirectory, store storePath: String?, report: (String) -> Void) throws {
        var checkpoints = try TrainedRun.checkpoints(of: run, report: report)
        members = checkpoints.map(\.parameters)
        let fingerprints = checkpoints.map(\.storeFingerprint)
        let seconds = checkpoints.reduce(0) { $0 + $1.trainedSeconds }
        checkpoints[0].trainedSeconds = seconds
        checkpoints[0].configuration.ensemble = members.count
        checkpoint = checkpoints[0]
        let path = try storePath ?? TrainedRun.store(of: checkpoint.configuration, run)
        store = try StoreReader(path: path)
        for expected in fingerprints where store.fingerprint != expected {
            throw ExportError.otherStore(store: path, expected: expected, found: store.fingerprint)
        }
    }

    /// The store under the name that the run knows: from here, or from the folder in which the run lies, since a run is mostly
    /// trained there.
    private static func store(of configuration: TrainingConfiguration, _ run: RunDirectory) throws -> String {
        let beside = run.path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        let candidates = [configuration.store, (beside + [Substring(configuration.store)]).joined(separator: "/")]
        guard let path = candidates.first(where: { access($0, F_OK) == 0 }) else {
            throw ExportError.noStore(path: configuration.store, run: run.path)
        }
        return path
    }

    private static func checkpoints(of run: RunDirectory, report: (String) -> Void) throws -> [Checkpoint] {
        guard let configuration = try run.ensemblePlan() else { return [try run.newestCheckpoint(report: report)] }
        let members = (1...configuration.ensemble).map { run.member($0) }.filter { !$0.checkpoints.isEmpty }
        let checkpoints = try members.map { member in
            var checkpoint = try member.newestCheckpoint(report: report)
            // The weights are all that is wanted; the rest is many times as long.
            checkpoint.optimizer.vectors = [:]
            checkpoint.history = History(termNames: [])
            return checkpoint
        }
        guard let first = checkpoints.first else { throw run.nothingThere }
        let iterations = checkpoints.map(\.iteration)
        let isWhole = checkpoints.allSatisfy {
            $0.iteration == configuration.iterations || (configuration.stop == .flat && $0.hasEnded)
        }
        if members.count < configuration.ensemble || !isWhole {
            report(
                "\(run.path): \(members.count) of \(configuration.ensemble) members have checkpoints, at iterations \(iterations.map(String.init).joined(separator: ", ")) of \(configuration.iterations); 'pinn-train --resume' goes on"
            )
        }
        for checkpoint in checkpoints
        where checkpoint.configuration.network.shapes != first.configuration.network.shapes {
            throw ExportError.unlikeMembers(
                run: run.path, checkpoint.configuration.network.shapes.description,
                first.configuration.network.shapes.description)
        }
        return checkpoints
    }
}
