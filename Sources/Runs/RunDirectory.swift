import Fields
import Foundation
import NetCDFFiles

/// The folder of a run: checkpoints, history, the plan, and the lock of the one process that may write to it.
///
/// Checkpoints are named after their iteration; a run is resumed from the newest that is intact.
public final class RunDirectory {
    public let path: String
    private var lock: Int32 = -1
    /// Older checkpoints are kept as a reserve: where the newest is damaged, the one before it is used.
    public static let checkpointsKept = 3

    public init(_ path: String) {
        self.path = path
    }

    deinit {
        if lock >= 0 { close(lock) }
    }

    public var historyPath: String { "\(path)/history.nc" }
    public var planPath: String { "\(path)/plan.toml" }

    /// Creates the folder where it is missing and locks it for this process until it ends.
    public func acquire() throws {
        guard mkdir(path, 0o777) == 0 || errno == EEXIST else { throw failure("the folder") }
        let lockPath = "\(path)/lock"
        lock = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard lock >= 0 else { throw failure("the lock") }
        guard RunDirectory.takes(lock) else {
            throw RunError.held(run: path, owner: contents(of: lock))
        }
        let owner = RunDirectory.owner
        guard ftruncate(lock, 0) == 0, pwrite(lock, owner, owner.utf8.count, 0) == owner.utf8.count else {
            throw failure("the lock")
        }
        AtomicFile.removeLeftovers(in: path) {
            $0.hasPrefix("checkpoint-") || ["history.nc", "plan.toml"].contains($0)
        }
    }

    /// Paths of the checkpoints, newest first.
    public var checkpoints: [String] {
        names.filter { $0.hasPrefix("checkpoint-") && $0.hasSuffix(".nc") }.sorted(by: >).map { "\(path)/\($0)" }
    }

    /// Bytes of the checkpoints and histories in the folder and those of an ensemble's members.
    public var byteCount: Int {
        let members = names.filter { $0.hasPrefix("member-") }.map { RunDirectory("\(path)/\($0)") }
        return (checkpoints + [historyPath]).reduce(members.reduce(0) { $0 + $1.byteCount }) { sum, path in
            var info = stat()
            return sum + (stat(path, &info) == 0 ? Int(info.st_size) : 0)
        }
    }

    /// The file of the checkpoint at an iteration.
    public func checkpointPath(_ iteration: Int) -> String {
        let number = String(iteration)
        return "\(path)/checkpoint-\(String(repeating: "0", count: max(0, 10 - number.count)))\(number).nc"
    }

    /// Writes a checkpoint, the history and the plan, then deletes the oldest checkpoints.
    @discardableResult
    public func save(_ checkpoint: Checkpoint) throws -> String {
        let name = checkpointPath(checkpoint.iteration)
        try checkpoint.write(to: name)
        try checkpoint.history.write(to: historyPath)
        try writePlan(checkpoint.configuration)
        for old in checkpoints.dropFirst(RunDirectory.checkpointsKept) { unlink(old) }
        return name
    }

    /// The newest intact checkpoint.
    ///
    /// - Parameters:
    ///   - admit: called with a file and the number of bytes before they are read; throws where there is no room.
    ///   - report: called with a message for each damaged checkpoint that is skipped.
    public func newestCheckpoint(
        _ contents: Checkpoint.Contents = .all, admit: (_ path: String, _ bytes: Int) throws -> Void = { _, _ in },
        report: (String) -> Void
    ) throws -> Checkpoint {
        let candidates = checkpoints
        for candidate in candidates {
            do {
                return try Checkpoint(reading: candidate, contents) { try admit(candidate, $0) }
            } catch let failure as any Failure where failure.kind == .badData {
                let rest = candidate == candidates.last ? "" : "; trying the checkpoint before it"
                report(failure.explanation + rest)
            }
        }
        guard candidates.isEmpty else { throw RunError.allDamaged(run: path, count: candidates.count) }
        throw nothingThere
    }

    /// Why there is no checkpoint: another run holds the lock and has not written its first, or nothing was trained.
    public var nothingThere: RunError {
        otherOwner.map { .held(run: path, owner: $0) } ?? .noCheckpoint(run: path)
    }

    // MARK: inside

    /// Takes the lock, or finds it held for half a second: a process that is being started shares the lock of the one that starts it
    /// until its exec.
    private static func takes(_ lock: Int32) -> Bool {
        for _ in 0..<50 {
            if flock(lock, LOCK_EX | LOCK_NB) == 0 { return true }
            guard errno == EWOULDBLOCK || errno == EINTR else { return false }
            usleep(10_000)
        }
        return false
    }

    /// The process that holds the lock, if it is not this one.
    private var otherOwner: String? {
        guard lock < 0 else { return nil }
        let handle = open("\(path)/lock", O_RDONLY | O_CLOEXEC)
        guard handle >= 0 else { return nil }
        defer { close(handle) }
        return flock(handle, LOCK_SH | LOCK_NB) == 0 ? nil : contents(of: handle)
    }

    private var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] }

    /// Writes the configuration for a person to read, and for `--config`; an ensemble is resumed by it.
    public func writePlan(_ configuration: TrainingConfiguration) throws {
        try AtomicFile.write(Array(configuration.toml.utf8), to: planPath, as: "the plan")
    }

    /// Host, process, job and time, so that a user can find the process that holds a run.
    private static var owner: String {
        let process = ProcessInfo.processInfo
        let job = process.environment["SLURM_JOB_ID"].map { ", Slurm job \($0)" } ?? ""
        let date = Date.now.formatted(.iso8601.dateTimeSeparator(.space))
        return "host \(process.hostName), process \(process.processIdentifier)\(job), since \(date)"
    }

    private func contents(of handle: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = pread(handle, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    private func failure(_ what: String) -> NetCDFError {
        .writeFailed(path: path, what: what, reason: String(cString: strerror(errno)))
    }
}

/// What can be wrong with a run.
public enum RunError: Failure {
    case held(run: String, owner: String)
    case noCheckpoint(run: String)
    case allDamaged(run: String, count: Int)
    case alreadyStarted(run: String, iteration: Int)
    case badPlan(path: String)
    case fewerMembers(asked: Int, run: String, members: Int)
    case noEnsemble(run: String)
    case otherStore(run: String, store: String, expected: String, found: String)
    case diverged(iteration: Int, term: String, lastGood: String?)
    /// The store or the device failed in an iteration.
    case interrupted(by: any Failure, iteration: Int, lastGood: String?)

    public var kind: FailureKind {
        switch self {
        case .held: .heldByAnother
        case .noCheckpoint: .missingInput
        case .allDamaged, .otherStore, .badPlan: .badData
        case .alreadyStarted, .fewerMembers, .noEnsemble: .usage
        case .diverged: .diverged
        case .interrupted(let cause, _, _): cause.kind
        }
    }

    public var explanation: String {
        switch self {
        case .held(let run, let owner):
            "\(run): another run holds the lock (\(owner)); wait for it to end, or choose another folder with --run DIR"
        case .noCheckpoint(let run):
            "\(run): holds no checkpoint; train first with 'pinn-train', or name the run with --run DIR"
        case .allDamaged(let run, let count):
            "\(run): all of its \(count) checkpoints are damaged; train again with --run DIR"
        case .alreadyStarted(let run, let iteration):
            "\(run): holds a run that is at iteration \(iteration); continue it with --resume, or start another with --run DIR"
        case .badPlan(let path):
            "\(path): cannot be read as the plan of an ensemble; train again with --run DIR"
        case .fewerMembers(let asked, let run, let members):
            "--ensemble \(asked): the ensemble in \(run) has \(members) members; leave the option out to resume it, or give more"
        case .noEnsemble(let run):
            "--ensemble: the run in \(run) is one network; resume it without the option, or start an ensemble with --run DIR"
        case .otherStore(let run, let store, let expected, let found):
            "\(run): was trained on a store with the fingerprint \(expected), \(store) has \(found); name the right store, or start another run with --run DIR"
        case .diverged(let iteration, let term, let lastGood):
            "the \(term) became NaN or infinite at iteration \(iteration); "
                + (lastGood.map { "the last good checkpoint is \($0)" } ?? "no checkpoint was written yet")
                + "; try a smaller --learning-rate"
        case .interrupted(let cause, let iteration, let lastGood):
            "\(cause.explanation); the run ended at iteration \(iteration), "
                + (lastGood.map { "continue from \($0) with --resume" } ?? "before its first checkpoint")
        }
    }
}
