import Fields
import Runs

/// Decides when a checkpoint is due, and knows the newest one whose loss was found finite.
struct CheckpointKeeper {
    let directory: RunDirectory
    /// Path of the newest good checkpoint; nil before the first.
    private(set) var newest: String?
    private(set) var interval = Duration.zero
    private var begin = ContinuousClock.now
    private var lastSaved = ContinuousClock.now

    /// A checkpoint that could not be written, or not for certain. The one before it is whole, and named.
    struct NotSaved: Error {
        let cause: any Error
    }

    init(_ directory: RunDirectory, newest: String? = nil) {
        (self.directory, self.newest) = (directory, newest)
    }

    /// Starts the clock of a call of the trainer.
    mutating func start(interval: Duration) {
        self.interval = interval
        begin = .now
        lastSaved = begin
    }

    /// Since the call began [s].
    var seconds: Double { (ContinuousClock.now - begin) / .seconds(1) }
    var isDue: Bool { ContinuousClock.now - lastSaved >= interval }

    /// Where this fails, it is due again after another interval.
    @discardableResult
    mutating func save(_ checkpoint: Checkpoint) throws(NotSaved) -> String {
        defer { lastSaved = .now }
        do {
            let path = try directory.save(checkpoint, after: newest)
            newest = path
            try directory.saveRecords(of: checkpoint)
            return path
        } catch {
            let error = directory.isInPlace ? error : RunError.moved(run: directory.path)
            let cause = (error as? any Failure).map { RunError.notSaved(cause: $0, lastGood: newest) }
            throw NotSaved(cause: cause ?? error)
        }
    }

    func holds(_ iteration: Int) -> Bool { newest == directory.checkpointPath(iteration) }
}
