import Fields

/// What can be wrong with a run.
public enum RunError: Failure {
    case held(run: String, owner: String)
    case lockFailed(path: String, reason: String)
    case noCheckpoint(run: String)
    case allDamaged(run: String, count: Int)
    case alreadyStarted(run: String, iteration: Int)
    /// A folder that was not made by these tools.
    case notARun(path: String, holds: [String])
    case notAMarker(path: String, found: String)
    /// A file that belongs to the user or to another run.
    case notOfThisRun(path: String)
    case memberPresent(path: String)
    case otherMember(path: String)
    case badPlan(path: String)
    /// The folder of an ensemble that has members and no plan.
    case noPlan(path: String)
    case fewerMembers(asked: Int, run: String, members: Int)
    case noEnsemble(run: String)
    case otherStore(run: String, store: String, expected: String, found: String)
    case diverged(iteration: Int, term: String, lastGood: String?)
    /// The store holds what is no number.
    case notFinite(store: String, columns: String, lastGood: String?)
    case moved(run: String)
    case notSaved(cause: any Failure, lastGood: String?)
    /// The store or the device failed in an iteration.
    case interrupted(by: any Failure, iteration: Int, lastGood: String?)

    public var kind: FailureKind {
        switch self {
        case .held: .heldByAnother
        case .lockFailed, .moved: .inputOutput
        case .noCheckpoint, .noPlan: .missingInput
        case .allDamaged, .otherStore, .badPlan, .otherMember, .notFinite: .badData
        case .alreadyStarted, .fewerMembers, .noEnsemble, .notARun, .notAMarker, .notOfThisRun, .memberPresent: .usage
        case .diverged: .diverged
        case .notSaved(let cause, _): cause.kind
        case .interrupted(let cause, _, _): cause.kind
        }
    }

    public var explanation: String {
        switch self {
        case .held(let run, let owner):
            "\(run): another run holds the lock (\(owner)); wait for it to end, or choose another folder with --run DIR"
        case .lockFailed(let path, let reason):
            "\(path): cannot be locked: \(reason); choose a folder on a file system with locks (of NFS, the lock daemon must run) with --run DIR"
        case .noCheckpoint(let run):
            "\(run): holds no checkpoint; train first with 'pinn-train', or name the run with --run DIR"
        case .allDamaged(let run, let count):
            "\(run): all of its \(count) checkpoints are damaged; train again with --run DIR"
        case .alreadyStarted(let run, let iteration):
            "\(run): holds a run that is at iteration \(iteration); continue it with --resume, or start another with --run DIR"
        case .notARun(let path, let names):
            "\(path): not the folder of a run, and not empty (it holds \(names.prefix(3).map(quoted).joined(separator: ", "))\(names.count > 3 ? " and \(names.count - 3) others" : "")); nothing there was touched: give a new or an empty folder with --run DIR"
        case .notAMarker(let path, let found):
            "\(path): not the marker of a run (\(found)), and nothing was touched; remove it if the folder is a run's, or choose another folder with --run DIR"
        case .notOfThisRun(let path):
            "\(path): does not belong to the run in this folder, and is not replaced; move it away, or choose another folder with --run DIR"
        case .memberPresent(let path):
            "\(path): holds a member of an ensemble; continue that with --resume, move the folder away, or start another run with --run DIR"
        case .otherMember(let path):
            "\(path): is no member of the ensemble beside it but belongs to another run; move it away, and continue the ensemble with --resume"
        case .badPlan(let path):
            "\(path): cannot be read as the plan of an ensemble; train again with --run DIR"
        case .noPlan(let path):
            "\(path): missing, and without it the members of the ensemble beside it can be neither continued nor exported; put it back from a copy, or start another run with --run DIR"
        case .fewerMembers(let asked, let run, let members):
            "--ensemble \(asked): the ensemble in \(run) has \(members) members; leave the option out to resume it, or give more"
        case .noEnsemble(let run):
            "--ensemble: the run in \(run) is one network; resume it without the option, or start an ensemble with --run DIR"
        case .otherStore(let run, let store, let expected, let found):
            "\(run): was trained on a store with the fingerprint \(expected), \(store) has \(found); name the right store, or start another run with --run DIR"
        case .diverged(let iteration, let term, let lastGood):
            "the \(term) became NaN or infinite at iteration \(iteration); \(RunError.text(lastGood)); try a smaller --learning-rate"
        case .notFinite(let store, let columns, let lastGood):
            "\(store): holds values that are NaN or infinite (\(columns)); make the store again with pinn-ingest from products without them; \(RunError.text(lastGood))"
        case .moved(let run):
            "\(run): the run's folder was moved or removed while it was trained; move it back, or go on where it is now, with --resume --run DIR"
        case .notSaved(let cause, let lastGood):
            "\(cause.explanation); \(RunError.text(lastGood))"
        case .interrupted(let cause, let iteration, let lastGood):
            "\(cause.explanation); the run ended at iteration \(iteration), "
                + (lastGood.map { "continue from \($0) with --resume" } ?? "before its first checkpoint")
        }
    }

    /// What a run has reached for certain.
    public static func text(_ lastGood: String?) -> String {
        lastGood.map { "the last good checkpoint is \($0)" } ?? "no checkpoint was written yet"
    }
}
