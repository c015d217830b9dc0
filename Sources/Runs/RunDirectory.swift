import Fields
import Foundation
import NetCDFFiles

/// The folder of a run: checkpoints, history, the plan, and the marker, which is the lock of the one process that may write to it.
///
/// A folder becomes a run's where it is new or empty, and its marker says so. Checkpoints are named after their iteration; a run is resumed
/// from the newest that is intact. What does not carry the run's mark is neither read as its own nor replaced nor deleted.
public final class RunDirectory {
    public let path: String
    /// Of an ensemble's member.
    private let place: (ensemble: RunDirectory, number: Int)?
    /// While this process holds the run.
    private var held: (marker: RunMarker, mark: RunMark)?
    /// The lock of the version before, which may still be at work in a folder that it began.
    private var formerLock: Int32 = -1
    private let ownFiles = OwnFiles()
    /// Older checkpoints are kept as a reserve: where the newest is damaged, the one before it is used.
    public static let checkpointsKept = 3

    public init(_ path: String) {
        self.path = path
        place = nil
    }

    private init(_ path: String, in ensemble: RunDirectory, number: Int) {
        self.path = path
        place = (ensemble, number)
    }

    deinit {
        if formerLock >= 0 { close(formerLock) }
    }

    public var historyPath: String { "\(path)/history.nc" }
    public var planPath: String { "\(path)/plan.toml" }

    /// The folder of a member, counted from 1.
    public func member(_ number: Int) -> RunDirectory {
        RunDirectory("\(path)/member-\(number)", in: self, number: number)
    }

    // MARK: beginning

    /// Locks the folder for this process until it ends: for a new run, which gets a new identity, or to resume the one that is there.
    /// Nothing is made or written where the folder is not a run's, or is neither new nor empty.
    ///
    /// - Parameter report: called with a message for what is removed or taken over.
    public func acquire(resuming: Bool = false, report: (String) -> Void = { _ in }) throws {
        let isNew = !resuming && mkdir(path, 0o777) == 0
        if !resuming, !isNew, errno != EEXIST {
            throw PlainFailure(
                .inputOutput,
                "\(path): cannot make the run's folder: \(String(cString: strerror(errno))); name one whose parent exists and that you may write to, with --run"
            )
        }
        do {
            let marker = try lockedMarker(resuming)
            let mark = try resuming ? resumedMark(marker, report) : newMark(marker, report)
            if mark.adoptsUnmarked { try lockAsBefore() }
            held = (marker, mark)
            for path in [historyPath, planPath] { try requireReplaceable(path) }
            try marker.write(mark)
        } catch {
            held = nil
            if isNew { rmdir(path) }
            throw error
        }
        AtomicFile.removeLeftovers(in: path) {
            ["history.nc", "plan.toml"].contains($0) || RunDirectory.iteration(of: $0) != nil
        }
    }

    private func lockedMarker(_ resuming: Bool) throws -> RunMarker {
        // Again where another process makes or removes it meanwhile.
        for _ in 0..<100 {
            var marker = try RunMarker(in: path)
            if marker == nil {
                if !resuming { try requireEmpty() }
                if resuming, try !hasSomethingToResume { throw nothingThere }
                marker = try RunMarker(creatingIn: path)
            }
            guard let marker else { continue }
            try marker.lock(run: path)
            if marker.isInPlace { return marker }
        }
        throw RunError.lockFailed(path: path, reason: "other processes make and remove it all the time")
    }

    /// The mark of a new run, once it is certain that nothing in the folder is worth keeping.
    private func newMark(_ marker: RunMarker, _ report: (String) -> Void) throws -> RunMark {
        if let former = marker.mark {
            try requireNotStarted()
            guard !isPresent(historyPath) else { throw RunError.notOfThisRun(path: historyPath) }
            // Of a run that ended before its first checkpoint.
            if ownFiles.carries(former, planPath), unlink(planPath) == 0 {
                report("removed \(planPath) of the run before")
            }
        } else {
            try requireEmpty()
        }
        return try markInEnsemble ?? RunMark()
    }

    private func resumedMark(_ marker: RunMarker, _ report: (String) -> Void) throws -> RunMark {
        if marker.mark != nil, let mark = try mark { return mark }
        guard try hasSomethingToResume else { throw nothingTrained }
        // Begun by the version before, or its marker was deleted.
        let id = checkpoints.isEmpty ? planMark?.id : try newestCheckpoint([], report: report).runID
        report(
            "\(path): has no marker of a run (\(RunMarker.name)); taken over\(id == nil ? " from an earlier version" : "")"
        )
        return try markInEnsemble ?? RunMark(id: id, adoptsUnmarked: id == nil)
    }

    /// The mark that a member has by its place in the ensemble.
    private var markInEnsemble: RunMark? {
        get throws { try place.flatMap { try $0.ensemble.mark?.member($0.number) } }
    }

    /// Whose the folder is, by its marker and, of a member, by the ensemble's; nil where nothing says so.
    var mark: RunMark? {
        get throws {
            if let held { return held.mark }
            let own = try RunMarker(in: path, forReading: true)?.mark
            guard let expected = try markInEnsemble else { return own }
            guard own == nil || own?.id == expected.id else { throw RunError.otherMember(path: path) }
            return expected
        }
    }

    /// Where the folder cannot be listed, nothing is begun in it.
    private var listing: [String] {
        get throws {
            guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
                throw NetCDFError.notReadable(path: path, reason: String(cString: strerror(errno)))
            }
            return names
        }
    }

    private func requireEmpty() throws {
        let others = try listing.filter { $0 != RunMarker.name }
        guard !others.isEmpty else { return }
        try requireNotStarted()
        throw RunError.notARun(path: path, holds: others.sorted())
    }

    private func requireNotStarted() throws {
        _ = try listing
        if let member = trainedMember {
            throw !isPresent(planPath) ? RunError.noPlan(path: planPath) : RunError.memberPresent(path: member.path)
        }
        guard !checkpoints.isEmpty else { return }
        throw RunError.alreadyStarted(run: path, iteration: try newestCheckpoint([], report: { _ in }).iteration)
    }

    private var hasSomethingToResume: Bool { get throws { try !checkpoints.isEmpty || ensemblePlan() != nil } }

    private func lockAsBefore() throws {
        let former = "\(path)/lock"
        formerLock = open(former, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)
        guard formerLock >= 0, RunMarker.lock(formerLock) == EWOULDBLOCK else { return }
        throw RunError.held(run: path, owner: "by the version before; see \(former)")
    }

    /// Throws where the folder is a member of another ensemble, or a run of its own.
    public func requireMember() throws {
        if !checkpoints.isEmpty { _ = try mark }
    }

    // MARK: checkpoints

    /// Paths of the checkpoints by their names, newest first.
    public var checkpoints: [String] {
        names.compactMap { RunDirectory.iteration(of: $0) }.sorted(by: >).map(checkpointPath)
    }

    /// The file of the checkpoint at an iteration.
    public func checkpointPath(_ iteration: Int) -> String { "\(path)/\(RunDirectory.checkpointName(iteration))" }

    private static func checkpointName(_ iteration: Int) -> String {
        let number = String(iteration)
        return "checkpoint-\(String(repeating: "0", count: max(0, 10 - number.count)))\(number).nc"
    }

    /// The iteration of a checkpoint; nil for any other name.
    static func iteration(of name: String) -> Int? {
        guard let digits = name.between("checkpoint-", ".nc"), digits.isDecimal, let iteration = Int(digits),
            name == checkpointName(iteration)
        else { return nil }
        return iteration
    }

    /// Bytes of the checkpoints and histories in the folder and those of an ensemble's members.
    public var byteCount: Int {
        ([self] + members).flatMap { $0.checkpoints + [$0.historyPath] }.reduce(0) { sum, path in
            var info = stat()
            return sum + (stat(path, &info) == 0 ? Int(info.st_size) : 0)
        }
    }

    private func requireInPlace() throws { guard isInPlace else { throw RunError.moved(run: path) } }

    /// Whether the folder still has the name under which it was locked: it may have been renamed, and another run's have got that.
    public var isInPlace: Bool { held?.marker.isInPlace ?? true }

    /// Writes a checkpoint whole.
    ///
    /// - Parameter newest: the last one that is good, for the message where the library that writes crashes.
    @discardableResult
    public func save(_ checkpoint: Checkpoint, after newest: String? = nil) throws -> String {
        let name = checkpointPath(checkpoint.iteration)
        try requireInPlace()
        try requireReplaceable(name)
        var checkpoint = checkpoint
        checkpoint.runID = try mark?.id
        advise(newest)
        try checkpoint.write(to: name)
        ownFiles.didWrite(name)
        return name
    }

    /// Writes history and plan beside a checkpoint, then deletes the run's oldest checkpoints.
    public func saveRecords(of checkpoint: Checkpoint) throws {
        try requireInPlace()
        try requireReplaceable(historyPath)
        advise(checkpointPath(checkpoint.iteration))
        try checkpoint.history.write(to: historyPath, runID: try mark?.id)
        ownFiles.didWrite(historyPath)
        try writePlan(checkpoint.configuration)
        for old in try checkpoints.filter(isOwn).dropFirst(RunDirectory.checkpointsKept) { unlink(old) }
    }

    /// The newest intact checkpoint of the run.
    ///
    /// - Parameters:
    ///   - admit: called with a file and the number of bytes before they are read; throws where there is no room.
    ///   - report: called with a message for each damaged checkpoint that is skipped, and for files that only look like the run's.
    public func newestCheckpoint(
        _ contents: Checkpoint.Contents = .all, admit: (_ path: String, _ bytes: Int) throws -> Void = { _, _ in },
        report: (String) -> Void
    ) throws -> Checkpoint {
        if isPresent(path) { _ = try listing }
        let mark = try mark
        var told: Set<String> = []
        func skip(_ path: String, _ why: String) { if told.insert(path).inserted { report(why) } }
        let strange = names.filter {
            $0.hasPrefix("checkpoint-") && $0.hasSuffix(".nc") && RunDirectory.iteration(of: $0) == nil
        }
        if !strange.isEmpty {
            report("\(path): no names of checkpoints, left alone: \(strange.sorted().joined(separator: ", "))")
        }
        // Again where the trainer has deleted the one that was listed: there is a newer one by then.
        for _ in 0..<1000 {
            var isListOld = false
            var damaged = 0
            let candidates = checkpoints
            for candidate in candidates {
                do {
                    let checkpoint = try Checkpoint(reading: candidate, contents) { try admit(candidate, $0) }
                    if candidate == checkpointPath(checkpoint.iteration), mark?.owns(checkpoint.runID) ?? true {
                        return checkpoint
                    }
                    skip(candidate, "\(candidate): not a checkpoint of this run at that iteration; left alone")
                } catch  where !isPresent(candidate) {
                    isListOld = true
                    break
                } catch let failure as any Failure where [.badData, .missingInput].contains(failure.kind) {
                    damaged += 1
                    let rest = candidate == candidates.last ? "" : "; trying the checkpoint before it"
                    skip(candidate, failure.explanation + rest)
                }
            }
            guard !isListOld else { continue }
            guard damaged == 0 else { throw RunError.allDamaged(run: path, count: damaged) }
            guard let other = candidates.first else { throw nothingThere }
            throw RunError.notOfThisRun(path: other)
        }
        throw nothingThere
    }

    /// Why there is no checkpoint: another run holds the lock and has not written its first, or nothing was trained.
    public var nothingThere: RunError {
        guard held == nil, let owner = (try? RunMarker(in: path, forReading: true))?.otherOwner else {
            return nothingTrained
        }
        return .held(run: path, owner: owner)
    }

    private var nothingTrained: RunError {
        trainedMember != nil && !isPresent(planPath) ? .noPlan(path: planPath) : .noCheckpoint(run: path)
    }

    /// Throws where a file that is not of this run has a name that a checkpoint between two iterations would take.
    public func requireFree(after iteration: Int, upTo last: Int) throws {
        for checkpoint in names.compactMap({ RunDirectory.iteration(of: $0) })
        where checkpoint > iteration && checkpoint <= last {
            try requireReplaceable(checkpointPath(checkpoint))
        }
    }

    // MARK: inside

    private func advise(_ newest: String?) {
        LibraryCrash.advice = "check whether the disk is full; \(RunError.text(newest))"
    }

    var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] }

    /// Members of an ensemble that have a folder.
    private var members: [RunDirectory] {
        names.compactMap { name in
            name.between("member-").flatMap { $0.isDecimal && $0.count <= 9 && $0.first != "0" ? Int($0) : nil }
        }.sorted().map(member)
    }

    private var trainedMember: RunDirectory? { members.first { !$0.checkpoints.isEmpty } }

    private func isOwn(_ path: String) throws -> Bool { try mark.map { ownFiles.contain(path, of: $0) } ?? false }

    func isPresent(_ path: String) -> Bool {
        var info = stat()
        return lstat(path, &info) == 0
    }

    private func requireReplaceable(_ path: String) throws {
        guard try !isPresent(path) || isOwn(path) else { throw RunError.notOfThisRun(path: path) }
    }

    /// Writes the configuration for a person to read, and for `--config`; an ensemble is resumed by it.
    public func writePlan(_ configuration: TrainingConfiguration) throws {
        try requireReplaceable(planPath)
        let heading = try mark.map { "# \($0.line): written by pinn-train, which replaces it; change a copy.\n" } ?? ""
        let text = heading + configuration.toml
        if try isOwn(planPath), text == planText { return }
        try AtomicFile.write(Array(text.utf8), to: planPath, as: "the plan")
        ownFiles.didWrite(planPath)
    }
}
