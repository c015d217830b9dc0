import Foundation
import NetCDFFiles
import TestSupport
import Testing

/// One call of a command after the other fails, or kills it, as SQLite tests itself: whichever it is, the command ends in time with a
/// documented status and one line, its outputs are the old or the new ones, whole, and the next run finds nothing in its way.
///
/// By default one call of each kind; in the long tests at most 40, spread over all; PINN_FAULTS sets how many.
@Suite(.enabled(if: Faults.shared != nil, "no C compiler"))
struct FailingCallTests {
    enum Stage: String, CaseIterable {
        case ingest, train, resume, export, points

        func tool(_ here: Workspace) -> Tool {
            switch self {
            case .ingest: here.ingest
            case .train, .resume: here.train
            case .export, .points: here.export
            }
        }

        var arguments: [String] {
            switch self {
            case .ingest: ["sample_velocity_measures.nc", "--points", "1000", "--seed", "5"]
            case .train: Stage.smallest + ["--iterations", "3", "--run", "new"]
            case .resume: ["--threads", "1", "--resume", "--iterations", "6"]
            case .export: ["prediction.nc"]
            case .points: ["line.csv", "--points", "flight.csv"]
            }
        }

        static let smallest = [
            "--threads", "1", "--network", "1x6", "--optimizer", "adam", "--stream", "chunk=64,data=64,front=64",
        ]
    }

    struct Fault: CustomStringConvertible {
        let call: Faults.Call
        let effect: Faults.Effect
        var onward = false
        var description: String { "\(call): \(effect)\(onward ? " from then on" : "")" }

        /// What a command may end with. A failed write is one of the disk; where reading or memory fails, libhdf5 and libproj may crash
        /// or find no sense in a file, and a folder may look empty.
        var statuses: Set<Int32> {
            switch call {
            case .allocate, .open, .read: [0, 64, 65, 66, 70, 71, 74]
            // A process that reads for the command may be the one that is killed.
            default: effect.kills ? [0, 65, 71, 74] : [0, 71, 74]
            }
        }
    }

    private static let faults: [Fault] = [
        Fault(call: .allocate, effect: .error(ENOMEM)), Fault(call: .open, effect: .error(EMFILE)),
        Fault(call: .read, effect: .error(EIO)), Fault(call: .write, effect: .error(ENOSPC)),
        Fault(call: .synchronize, effect: .error(EIO)), Fault(call: .rename, effect: .error(EIO)),
        Fault(call: .map, effect: .error(ENOMEM), onward: true), Fault(call: .close, effect: .error(EIO)),
        Fault(call: .thread, effect: .error(EAGAIN), onward: true), Fault(call: .spawn, effect: .error(EAGAIN)),
        Fault(call: .write, effect: .kill), Fault(call: .rename, effect: .kill),
    ]
    private static let more: [Fault] = [
        Fault(call: .open, effect: .error(EIO), onward: true), Fault(call: .read, effect: .error(EIO), onward: true),
        Fault(call: .write, effect: .error(ENOSPC), onward: true),
        Fault(call: .spawn, effect: .error(EAGAIN), onward: true), Fault(call: .synchronize, effect: .kill),
    ]

    private static let most =
        ProcessInfo.processInfo.environment["PINN_FAULTS"].flatMap { Int($0) } ?? (Places.runsLongTests ? 6 : 1)

    /// At most `most` of the calls, evenly; the middle one if one.
    private static func places(of calls: Int) -> [Int] {
        let count = min(most, calls)
        return (0..<count).map { (2 * $0 + 1) * calls / (2 * count) + 1 }
    }

    @Test(arguments: Stage.allCases)
    func whicheverCallFailsNothingIsLostAndTheNextRunWorks(_ stage: Stage) throws {
        let trial = try Trial(stage)
        for fault in Self.faults + (Self.most > 1 ? Self.more : []) {
            try check(fault, trial)
        }
    }

    /// It was called damage to the file (65).
    @Test func aReadErrorWhereAStoreIsOpenedIsOneOfTheDisk() throws {
        let here = try Workspace()
        try here.addStore()
        let (result, _) = try #require(Faults.shared).run(
            here.train, Stage.smallest + ["--iterations", "1"], in: here.folder.path, .read, .error(EIO), at: 5,
            onward: true)
        #expect(result.status == 74 && !result.died, "\(result.messages)")
        #expect(result.messages.contains("Input/output error") && !result.messages.contains("damaged"))
    }

    private func check(_ fault: Fault, _ trial: Trial) throws {
        let calls = trial.calls[fault.call] ?? 0
        for place in Self.places(of: calls) {
            let folder = try trial.copy()
            let (result, endedInTime) = try #require(Faults.shared).run(
                trial.tool, trial.stage.arguments, in: folder.path, fault.call, fault.effect, at: place,
                onward: fault.onward)
            var found = trial.faults(in: folder, after: result, of: fault)
            if !endedInTime { found.append("was still at work after 10 s") }
            found += try trial.faultsOfNextRun(in: folder)
            #expect(found.isEmpty, "\(fault) at \(place) of \(calls): \(result.messages.suffix(400))")
        }
    }

    /// What the command finds, and what it makes of it undisturbed.
    private struct Trial {
        let stage: Stage
        let old: Workspace
        let new: TemporaryFolder
        let calls: [Faults.Call: Int]
        var tool: Tool { stage.tool(old) }

        init(_ stage: Stage) throws {
            self.stage = stage
            old = try Workspace()
            try old.addSample()
            for (tool, arguments) in [
                (old.ingest, ["sample_velocity_measures.nc", "--points", "1000"]),
                (old.train, Stage.smallest + ["--iterations", "3"]),
                (old.export, ["prediction.nc", "--fields", "mu"]),
            ] {
                let result = try old.run(tool, arguments)
                try #require(result.status == 0, "\(result.messages)")
            }
            try "x,y\n350000,2080000\n360000,2090000\n".write(
                toFile: old.folder.file("flight.csv"), atomically: true, encoding: .utf8)
            new = try Trial.copied(old.folder)
            let (result, calls) = try #require(Faults.shared).count(stage.tool(old), stage.arguments, in: new.path)
            try #require(result.status == 0, "\(result.messages)")
            self.calls = calls
        }

        func copy() throws -> TemporaryFolder { try Trial.copied(old.folder) }

        private static func copied(_ folder: TemporaryFolder) throws -> TemporaryFolder {
            let copy = try TemporaryFolder()
            for name in folder.names {
                try FileManager.default.copyItem(atPath: folder.file(name), toPath: copy.file(name))
            }
            return copy
        }

        /// What is wrong with the way that a command ended, and with what it left.
        func faults(in folder: TemporaryFolder, after result: Tool.Result, of fault: Fault) -> [String] {
            var faults: [String] = []
            let errors = result.messages.split(separator: "\n").count { $0.hasPrefix("error: ") }
            if result.died {
                if !fault.effect.kills || result.status != SIGKILL { faults.append("died of signal \(result.status)") }
            } else {
                if !fault.statuses.contains(result.status) { faults.append("status \(result.status)") }
                if errors != (result.status == 0 ? 0 : 1) { faults.append("\(errors) lines of errors") }
                faults += left(in: folder)
            }
            for name in Trial.files(old.folder) {
                if !Trial.files(folder).contains(name) {
                    faults.append("\(name) is gone")
                } else if !isOldOrNew(name, in: folder) {
                    faults.append("\(name) is neither the old file nor a new one")
                }
            }
            return faults
        }

        func faultsOfNextRun(in folder: TemporaryFolder) throws -> [String] {
            let isBegun = Trial.files(folder).contains { $0.hasPrefix("new/checkpoint-") && $0.hasSuffix(".nc") }
            let result = try tool.run(
                isBegun ? ["--resume", "--run", "new"] : stage.arguments, in: folder.path)
            return (result.status == 0 ? [] : ["the next run: \(result.status), \(result.messages.suffix(300))"])
                + left(in: folder)
        }

        /// Files that no run is meant to leave.
        private func left(in folder: TemporaryFolder) -> [String] {
            Trial.files(folder).subtracting(Trial.files(old.folder)).subtracting(Trial.files(new)).sorted().map {
                "\($0) is left"
            }
        }

        /// Whole: a store by its trailer, a prediction by its values.
        private func isOldOrNew(_ name: String, in folder: TemporaryFolder) -> Bool {
            let bytes = { (folder: TemporaryFolder) in try? Data(contentsOf: URL(fileURLWithPath: folder.file(name))) }
            if bytes(folder) == bytes(old.folder) || bytes(folder) == bytes(new) { return true }
            switch name {
            case "pinn-store.nc": return (try? IntegrityTrailer.verify(folder.file(name))) != nil
            case "prediction.nc":
                let values = try? Trial.values(in: folder.file(name))
                return values != nil && values == (try? Trial.values(in: new.file(name)))
            default: return name.hasPrefix("pinn-run/") && !name.contains("checkpoint")
            }
        }

        private static func values(in path: String) throws -> [String: [Double]] {
            let file = try NetCDFFile(reading: path)
            return Dictionary(
                uniqueKeysWithValues: try file.variables.map { variable in
                    // Cells without a value are NaN, which equals nothing.
                    (variable.name, try variable.read(as: Double.self).map { $0.isNaN ? .infinity : $0 })
                })
        }

        private static func files(_ folder: TemporaryFolder) -> Set<String> {
            let names = FileManager.default.enumerator(atPath: folder.path)?.allObjects as? [String] ?? []
            return Set(names.filter { !isFolder(folder.file($0)) })
        }

        private static func isFolder(_ path: String) -> Bool {
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
        }
    }
}

extension Faults.Effect {
    fileprivate var kills: Bool {
        if case .kill = self { true } else { false }
    }
}
