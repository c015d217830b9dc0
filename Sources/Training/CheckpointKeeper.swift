import Fields
import Runs

/// Decides when a checkpoint is due, and knows the newest one whose loss was found finite.
struct CheckpointKeeper {
    let directory: RunDirectory
    /// Path of the newest good checkpoint; nil before the first.
    private(set) var newest: String?
    private var interval = Duration.zero
    private var begin = ContinuousClock.now
    private var lastSaved = ContinuousClock.now

    /// A checkpoint that could not be written; the one before it is whole.
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

    @discardableResult
    mutating func save(_ checkpoint: Checkpoint) throws(NotSaved) -> String {
        do {
            let path = try directory.save(checkpoint)
            (newest, lastSaved) = (path, .now)
            return path
        } catch {
            throw NotSaved(cause: error)
        }
    }

    func holds(_ iteration: Int) -> Bool { newest == directory.checkpointPath(iteration) }
}
