import Foundation
import TestSupport
import Testing

/// Nothing of the user's is touched, replaced or taken for a run's, wherever a run is asked to be.
@Suite struct UsersFilesTests {
    private static let options = [
        "--threads", "1", "--network", "1x6", "--optimizer", "adam", "--stream",
        "chunk=256,data=128,front=64,sample=512", "--iterations",
        "20",
    ]

    /// Names and bytes of everything in a folder; links are not followed.
    private func content(_ folder: String) throws -> [String: Data] {
        let names = FileManager.default.enumerator(atPath: folder)?.allObjects as? [String] ?? []
        return try Dictionary(
            uniqueKeysWithValues: names.map { name in
                let path = "\(folder)/\(name)"
                let link = try? FileManager.default.destinationOfSymbolicLink(atPath: path)
                var info = stat()
                let isFile = lstat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFREG
                return (
                    name,
                    try link.map { Data($0.utf8) } ?? (isFile ? Data(contentsOf: URL(fileURLWithPath: path)) : Data())
                )
            })
    }

    private func write(_ text: String, _ name: String, in here: Workspace) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: here.folder.file(name)))
    }

    @Test(arguments: [
        "a folder of other things", "a plan that is given as the configuration", "a link as the marker",
        "a second name as the marker", "another file as the marker", "a pipe as the marker", "a link to nowhere",
    ])
    func aFolderThatIsNotARunsIsRefusedAndLeftAsItIs(_ kind: String) throws {
        let here = try Workspace()
        try here.addStore()
        var arguments = ["--run", "."]
        try write("mine", "mine", in: here)
        let marker = here.folder.file("pinn-run.lock")
        switch kind {
        case "a folder of other things":
            for name in ["a.nc.partial", "lock", "history.nc", "checkpoint-best.nc"] {
                try write("mine", name, in: here)
            }
        case "a plan that is given as the configuration":
            try write("seed = 5\n", "plan.toml", in: here)
            arguments += ["--config", "plan.toml"]
        case "a link as the marker":
            try FileManager.default.createSymbolicLink(atPath: marker, withDestinationPath: "mine")
        case "a second name as the marker":
            try FileManager.default.linkItem(atPath: here.folder.file("mine"), toPath: marker)
        case "another file as the marker": try write("IceShelfPINN", "pinn-run.lock", in: here)
        case "a pipe as the marker": mkfifo(marker, 0o600)
        default: try FileManager.default.createSymbolicLink(atPath: marker, withDestinationPath: "nowhere")
        }
        let before = try content(here.folder.path)
        for (tool, options) in [
            (here.train, Self.options + arguments), (here.train, ["--resume"] + arguments),
            (here.export, ["prediction.nc", "--run", "."]),
        ] {
            let result = try here.run(tool, options)
            #expect([64, 66].contains(result.status) && !result.died, "\(options): \(result.messages)")
            #expect(result.messages.split(separator: "\n").filter { $0.hasPrefix("error: ") }.count == 1)
            #expect(try content(here.folder.path) == before, "\(options)")
        }
        let told = try here.run(here.train, Self.options + arguments).messages
        #expect(
            told.contains(kind.contains("marker") || kind.contains("link") ? "pinn-run.lock" : "it holds"), "\(told)")
    }

    @Test func leftoversOfTheRunAreRemovedWithAWordAndNoOthers() throws {
        let here = try Workspace()
        try here.addStore()
        #expect(try here.run(here.train, Self.options).status == 0)
        func partial(_ name: String) -> String { "pinn-run/.\(name).0123456789abcdef.partial" }
        let (own, others) = (["checkpoint-0000000040.nc", "history.nc"], ["checkpoint-best.nc", "mine.nc"])
        for name in own + others { try write("unfinished", partial(name), in: here) }
        try write("mine", "pinn-run/history.nc.partial", in: here)
        let result = try here.run(here.train, ["--resume", "--iterations", "40"])
        #expect(result.status == 0)
        #expect(own.allSatisfy { result.messages.contains(partial($0)) }, "\(result.messages)")
        #expect(Set(here.partialFiles) == Set(others.map(partial) + ["pinn-run/history.nc.partial"]))
    }

    /// Damaged checkpoints show which comes first.
    @Test func aResumedRunIsLockedBeforeItIsRead() throws {
        let here = try Workspace()
        try here.addStore()
        #expect(try here.run(here.train, Self.options).status == 0)
        try write("damaged", "pinn-run/checkpoint-0000000020.nc", in: here)
        let lock = open(here.folder.file("pinn-run/pinn-run.lock"), O_RDONLY | O_CLOEXEC)
        try #require(lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0)
        let held = try here.run(here.train, ["--resume"])
        #expect(held.status == 69 && held.messages.contains("process "), "\(held.messages)")
        close(lock)
        #expect(try here.run(here.train, ["--resume"]).status == 65)
    }

    @Test func membersOfAnotherEnsembleAreNotAveragedIn() throws {
        let here = try Workspace()
        try here.addStore()
        let files = FileManager.default
        for (run, seed) in [("en", "1"), ("other", "7")] {
            let options = Self.options + ["--ensemble", "2", "--run", run, "--seed", seed]
            #expect(try here.run(here.train, options).status == 0)
        }
        // Its first member and its plan are gone, the second is there.
        try files.removeItem(atPath: here.folder.file("en/member-1"))
        try files.moveItem(atPath: here.folder.file("en/plan.toml"), toPath: here.folder.file("plan.toml"))
        let before = try content(here.folder.path)
        for options in [["--ensemble", "2"], []] {
            let begun = try here.run(here.train, Self.options + options + ["--run", "en"])
            #expect(begun.status == 66 && begun.messages.contains("en/plan.toml: missing"), "\(begun.messages)")
            #expect(try content(here.folder.path) == before)
        }
        try files.moveItem(atPath: here.folder.file("plan.toml"), toPath: here.folder.file("en/plan.toml"))
        // A member of another ensemble in its place, of one that is not the same member, and one without its marker.
        for (source, isMarked) in [("other/member-1", true), ("en/member-2", true), ("other/member-1", false)] {
            try files.copyItem(atPath: here.folder.file(source), toPath: here.folder.file("en/member-1"))
            if !isMarked { try files.removeItem(atPath: here.folder.file("en/member-1/pinn-run.lock")) }
            let before = try content(here.folder.path)
            // The marker says who was there last.
            let marker = "en/pinn-run.lock"
            for (tool, options) in [
                (here.export, ["prediction.nc"]), (here.train, ["--resume", "--iterations", "40"]),
            ] {
                let result = try here.run(tool, options + ["--run", "en"])
                #expect(
                    [64, 65].contains(result.status) && result.messages.contains("en/member-1"), "\(result.messages)")
                let after = try content(here.folder.path)
                #expect(
                    after.filter { $0.key != marker } == before.filter { $0.key != marker }, "\(source), \(isMarked)")
            }
            try files.removeItem(atPath: here.folder.file("en/member-1"))
        }
        let resumed = try here.run(here.train, ["--resume", "--run", "en"])
        #expect(resumed.status == 0, "\(resumed.messages)")
        let export = try here.run(here.export, ["prediction.nc", "--run", "en"])
        #expect(export.status == 0 && export.output.contains("2 members"), "\(export.messages)")
    }
}

/// Faults that a run survives or tells of, injected into system calls.
@Suite(.enabled(if: Strace.works, "strace cannot trace here"))
struct RunFaultTests {
    private func train(_ injection: String, _ call: String, _ options: [String] = []) throws
        -> (here: Workspace, Tool.Result)
    {
        let here = try Workspace()
        try here.addStore()
        let result = try here.run(
            try #require(Tool.installed("strace")),
            ["-f", "-o", "/dev/null", "-e", "trace=\(call)", "-e", "inject=\(call):\(injection)", here.train.path]
                + Workspace.short + ["--iterations", "30"] + options)
        return (here, result)
    }

    @Test(arguments: [("ENOLCK", "No locks available"), ("EIO", "Input/output error"), ("EINTR", "Interrupted")])
    func aLockThatFailsIsNotOneThatIsHeld(_ code: String, _ reason: String) throws {
        let (here, result) = try train("error=\(code)", "flock")
        #expect(result.status == 74 && result.messages.contains(reason), "\(result.messages)")
        #expect(!result.messages.contains("another run") && !here.exists("pinn-run"))
    }

    @Test func aFolderThatDoesNotReachTheDiskIsToldWithTheFileThatIsThere() throws {
        let here = try Workspace()
        try here.addSample()
        let result = try here.run(
            try #require(Tool.installed("strace")),
            ["-f", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:error=EIO:when=2", here.ingest.path]
                + ["sample_velocity_measures.nc", "--points", "20000"])
        #expect(result.status == 74 && !result.died, "\(result.messages)")
        #expect(result.messages.contains("pinn-store.nc: is complete") && result.messages.contains("power cut"))
        #expect(try here.run(here.train, Workspace.short + ["--iterations", "2"]).status == 0)
    }

    /// The room for a checkpoint is reserved before the library writes it, which can crash of a full disk.
    @Test func aDiskThatIsFullForAWhileDoesNotEndTheRun() throws {
        let (here, result) = try train("error=ENOSPC:when=5..30", "fallocate", ["--checkpoint-every", "0.0001"])
        #expect(result.status == 0 && !result.died, "\(result.messages)")
        let warnings = result.messages.split(separator: "\n").filter { $0.hasPrefix("warning: ") }
        #expect(warnings.count > 3)
        #expect(
            warnings.allSatisfy {
                $0.contains("No space left on device") && $0.contains("last good checkpoint is pinn-run/checkpoint-00")
            }, "\(warnings)")
        #expect(here.checkpoints.last == "checkpoint-0000000030.nc" && here.partialFiles.isEmpty)
    }

    @Test func aDiskThatStaysFullEndsTheRunWhenItIsDoneAndTheLastGoodCheckpointIsNamed() throws {
        let (here, result) = try train("error=ENOSPC:when=9+", "fallocate", ["--checkpoint-every", "0.0001"])
        #expect(result.status == 74 && !result.died, "\(result.messages)")
        let last = try #require(result.messages.split(separator: "\n").last)
        let good = try #require(here.checkpoints.last)
        #expect(last.hasPrefix("error: ") && last.contains("the last good checkpoint is pinn-run/\(good)"), "\(last)")
        #expect(try here.run(here.train, ["--resume"]).status == 0)
    }
}
