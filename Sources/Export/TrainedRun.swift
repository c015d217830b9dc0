import Glibc
import PointStore
import Runs

/// A run that has a checkpoint, with the store that it was trained on.
public struct TrainedRun {
    public let checkpoint: Checkpoint
    public let store: StoreReader

    /// - Parameters:
    ///   - storePath: nil for the one that the run names.
    ///   - report: told of each damaged checkpoint that was passed over.
    public init(in run: RunDirectory, store storePath: String?, report: (String) -> Void) throws {
        checkpoint = try run.newestCheckpoint(report: report)
        let path = storePath ?? checkpoint.plan.store
        if storePath == nil, access(path, F_OK) != 0 { throw ExportError.noStore(path: path, run: run.path) }
        store = try StoreReader(path: path)
        guard store.fingerprint == checkpoint.storeFingerprint else {
            throw ExportError.otherStore(
                store: path, expected: checkpoint.storeFingerprint, found: store.fingerprint)
        }
    }
}
