import Foundation
import Glibc
import TestSupport
import Testing

/// What somebody found who tried to break the promises of docs/reliability.md.
@Suite struct AttackTests {
    private static let smallest = [
        "--threads", "1", "--network", "1x6", "--optimizer", "adam", "--stream", "chunk=64", "--iterations", "3",
    ]

    private func trained() throws -> Workspace {
        let here = try Workspace()
        try here.addStore()
        let result = try here.run(here.train, Self.smallest)
        try #require(result.status == 0, "\(result.messages)")
        return here
    }

    private func write(_ text: String, _ name: String, _ here: Workspace) throws {
        try text.write(toFile: here.folder.file(name), atomically: false, encoding: .utf8)
    }

    /// They were taken for tables that may be replaced.
    @Test(.enabled(if: Tool.installed("setpriv") != nil && getuid() == 0, "needs root and setpriv"))
    func aTableThatCannotBeReadIsNotReplaced() throws {
        let here = try trained()
        try write("x,y\n350000,2080000\n", "points.csv", here)
        try write("notes\n", "line.csv", here)
        chmod(here.folder.file("line.csv"), 0o600)
        chmod(here.folder.path, 0o777)
        let result = try #require(Tool.installed("setpriv")).run(
            ["--reuid", "65534", "--clear-groups", here.export.path, "line.csv", "--points", "points.csv"],
            in: here.folder.path)
        #expect(result.status == 64 && result.messages.contains("line.csv"), "\(result.messages)")
        #expect(try here.bytes("line.csv") == Data("notes\n".utf8))
    }

    @Test func aTextThatHasTheNameOfAStoreIsNotReplaced() throws {
        let here = try Workspace()
        try here.addSample()
        try write("my notes", "pinn-store.nc", here)
        let result = try here.run(here.ingest, ["sample_velocity_measures.nc", "--points", "1000"])
        #expect(result.status == 64 && result.messages.contains("pinn-store.nc"), "\(result.messages)")
        #expect(try here.bytes("pinn-store.nc") == Data("my notes".utf8))
    }

    /// The history was called another run's.
    @Test func aRunInAFolderWhoseNameIsNoTextIsResumed() throws {
        let here = try Workspace()
        try here.addStore()
        let shell = Tool(path: "/bin/sh")
        let script =
            "d=$(printf 'lat\\351'); mkdir \"$d\" && cp pinn-store.nc \"$d\" && cd \"$d\" && \(here.train.path) \(Self.smallest.joined(separator: " ")) && \(here.train.path) --resume --iterations 5"
        let result = try shell.run(["-c", script], in: here.folder.path)
        #expect(result.status == 0, "\(result.messages.suffix(500))")
    }

    @Test(arguments: [
        ("typo-option = false", "typo-option"), ("stop = false", "stop"), ("run = \"a\\u0000b\"", "zero"),
        ("run = [[\"a\"]]", "run"), ("network = \"\"", "network"), ("network = true", "network"),
        ("# " + String(repeating: "long ", count: 1 << 20) + "\nseed = 1", "4 MB"),
    ]) func whatAConfigurationDoesNotMeanIsRefused(text: String, named: String) throws {
        let here = try Workspace()
        try here.addStore()
        try write(text + "\n", "c.toml", here)
        let names = here.folder.names
        let result = try here.run(
            here.train, Self.smallest.filter { !$0.hasPrefix("1x6") && $0 != "--network" } + ["--config", "c.toml"])
        #expect([64, 65, 66].contains(result.status), "\(result.status) \(result.messages.suffix(300))")
        #expect(result.messages.contains("c.toml") && result.messages.contains(named), "\(result.messages.suffix(300))")
        #expect(here.folder.names == names)
    }

    @Test func aConfigurationThatIsNotUTF8IsRefused() throws {
        let here = try Workspace()
        try here.addStore()
        try Data([UInt8]("run = \"caf".utf8) + [0xE9] + [UInt8]("\"\n".utf8)).write(
            to: URL(fileURLWithPath: here.folder.file("c.toml")))
        let result = try here.run(here.train, Self.smallest + ["--config", "c.toml"])
        #expect(result.status == 65 && result.messages.contains("UTF-8"), "\(result.messages)")
    }

    /// A signal was answered when the converter had ended.
    @Test func aConverterThatHangsDoesNotKeepAnExport() throws {
        let here = try trained()
        try write("#!/bin/sh\nexec sleep 60\n", "gdal_translate", here)
        chmod(here.folder.file("gdal_translate"), 0o755)
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        var ended = Date.distantFuture
        let result = try here.export.run(
            ["p.nc", "--geotiff", "maps"], in: here.folder.path, environment: ["PATH": "\(here.folder.path):\(path)"]
        ) { running in
            running.wait { _ in !here.partialFiles.filter { $0.contains(".tif.") }.isEmpty }
            running.send(SIGTERM)
            ended = Date() + 10
            running.wait { _ in Date() > ended }
        }
        #expect(result.status == 128 + SIGTERM && Date() < ended, "\(result.status) \(result.messages)")
        #expect(here.partialFiles.isEmpty)
    }

    @Test func pointsFromAPipeAreRefusedAtOnce() throws {
        let here = try trained()
        try #require(mkfifo(here.folder.file("f.csv"), 0o600) == 0)
        let holder = open(here.folder.file("f.csv"), O_RDWR | O_CLOEXEC)
        defer { close(holder) }
        let result = try here.run(here.export, ["o.csv", "--points", "f.csv"])
        #expect(result.status == 65 && result.messages.contains("a pipe"), "\(result.messages)")
    }

    /// They made viscosities that are infinite or zero, and a prediction of them.
    @Test(arguments: [
        ["--gravity", "1e300"], ["--gravity", "1e-300"], ["--ice-density", "1e-9"], ["--hardness", "1e40"],
        ["--sliding-exponent", "1e9"],
    ]) func constantsOfNoNatureAreRefused(option: [String]) throws {
        let here = try Workspace()
        try here.addStore()
        let result = try here.run(here.train, Self.smallest + option)
        #expect(result.status == 64 && result.messages.contains("is not a number from"), "\(result.messages)")
    }

    /// Training and resuming sent their user to each other.
    @Test func anEnsembleWithoutItsPlanIsCalledSo() throws {
        let here = try Workspace()
        try here.addStore()
        try #require(here.run(here.train, Self.smallest + ["--ensemble", "2"]).status == 0)
        try FileManager.default.removeItem(atPath: here.folder.file("pinn-run/plan.toml"))
        for (tool, arguments) in [
            (here.train, Self.smallest), (here.train, ["--resume"]), (here.export, ["prediction.nc"]),
        ] {
            let result = try here.run(tool, arguments)
            #expect(result.status == 64 || result.status == 66, "\(result.messages)")
            #expect(result.messages.contains("pinn-run/plan.toml: missing"), "\(result.messages)")
        }
    }

    /// It wrote its checkpoint into another run that had got the name.
    @Test func aTrainerWhoseFolderIsMovedWritesNothingMore() throws {
        let here = try Workspace()
        try here.addStore()
        let (run, moved) = (here.folder.file("pinn-run"), here.folder.file("moved"))
        let result = try here.run(
            here.train, Self.smallest.dropLast(2) + ["--iterations", "10000000", "--checkpoint-every", "2"]
        ) { running in
            running.wait { _ in !here.checkpoints.isEmpty }
            // Not while it writes.
            usleep(500_000)
            try? FileManager.default.moveItem(atPath: run, toPath: moved)
            try? FileManager.default.createDirectory(atPath: run, withIntermediateDirectories: false)
            running.wait { $0.messages.contains("was moved or removed") }
            running.send(SIGTERM)
            let end = Date() + 20
            running.wait { _ in Date() > end }
            running.send(SIGKILL)
        }
        #expect(result.status == 74 && result.messages.contains("was moved or removed"), "\(result.messages)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: run).isEmpty)
    }

    /// Every word for a terminal that takes none, stopped by Ctrl-S, waited and so did the signals.
    @Test func aMessageThatNobodyTakesKeepsNoSignalWaiting() throws {
        let here = try Workspace()
        try here.addStore()
        let status = try statusAfterSIGTERM(
            here.train, Self.smallest.dropLast(2) + ["--iterations", "10000000", "--checkpoint-every", "0.2"], here,
            error: fullPipe()
        ) { !here.checkpoints.isEmpty }
        #expect(status == 75)
    }

    /// So did results.
    @Test func aResultThatNobodyTakesKeepsNoSignalWaiting() throws {
        let here = try trained()
        let status = try statusAfterSIGTERM(here.export, ["prediction.nc"], here, output: fullPipe()) {
            here.folder.names.contains("prediction.nc")
        }
        #expect(status == 128 + SIGTERM)
    }

    private func fullPipe() -> Pipe {
        let pipe = Pipe()
        let end = pipe.fileHandleForWriting.fileDescriptor
        let flags = fcntl(end, F_GETFL)
        _ = fcntl(end, F_SETFL, flags | O_NONBLOCK)
        while Glibc.write(end, [UInt8](repeating: 10, count: 4096), 4096) > 0 {}
        _ = fcntl(end, F_SETFL, flags)
        return pipe
    }

    /// The status of a program that gets SIGTERM once a condition holds; nil where it does not end within 10 s of it.
    private func statusAfterSIGTERM(
        _ tool: Tool, _ arguments: [String], _ here: Workspace, output: Pipe? = nil, error: Pipe? = nil,
        once condition: () -> Bool
    ) throws -> Int32? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: tool.path)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: here.folder.path)
        process.standardOutput = output ?? FileHandle.nullDevice
        process.standardError = error ?? FileHandle.nullDevice
        try process.run()
        func wait(_ seconds: Double, until condition: () -> Bool) {
            let end = Date() + seconds
            while !condition(), Date() < end { usleep(10_000) }
        }
        wait(60, until: condition)
        usleep(200_000)
        kill(process.processIdentifier, SIGTERM)
        wait(10) { !process.isRunning }
        let hasEnded = !process.isRunning
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        return hasEnded && process.terminationReason == .exit ? process.terminationStatus : nil
    }

    /// netCDF skips blanks at the beginning of a path, and takes "c:/" for a drive: outputs landed elsewhere, over other files.
    @Test(arguments: [" y", "\u{1}y", "c:", "file:", "-y"]) func aStrangeNameIsTheFilesOwn(folder: String) throws {
        let here = try trained()
        let files = FileManager.default
        // Where the library would go.
        try files.createDirectory(atPath: here.folder.file("y"), withIntermediateDirectories: false)
        try files.createDirectory(atPath: here.folder.file(folder), withIntermediateDirectories: false)
        let path = "./\(folder)"
        for (tool, arguments) in [
            (here.ingest, ["sample_velocity_measures.nc", "--points", "1000", "-o", "\(folder)/s.nc"]),
            (here.train, ["\(path)/s.nc", "--run=\(folder)/r"] + Self.smallest),
            (here.train, ["--resume", "--run=\(folder)/r", "--iterations", "4"]),
            (here.export, ["\(path)/p.nc", "--run=\(folder)/r"]),
        ] {
            let result = try here.run(tool, arguments.map { $0.hasPrefix("-y") ? "./\($0)" : $0 })
            #expect(result.status == 0, "\(tool.path) \(arguments): \(result.messages.suffix(300))")
        }
        #expect(try files.contentsOfDirectory(atPath: here.folder.file(folder)).sorted() == ["p.nc", "r", "s.nc"])
        #expect(try files.contentsOfDirectory(atPath: here.folder.file("y")).isEmpty)
    }

    /// A disk that fails under a file of options made an empty one of it, and the defaults ran.
    @Test(.enabled(if: Tool.installed("strace") != nil, "strace is not installed"))
    func aConfigurationThatCannotBeReadIsNotAnEmptyOne() throws {
        let here = try Workspace()
        try here.addStore()
        try write("seed = 9\n", "c.toml", here)
        let file = here.folder.file("c.toml")
        let result = try #require(Tool.installed("strace")).run(
            ["-f", "-o", "/dev/null", "-P", "c.toml", "-P", file, "-e", "trace=read", "-e", "inject=read:error=EIO"]
                + [here.train.path, "--config", "c.toml"] + Self.smallest, in: here.folder.path)
        #expect(result.status == 74 && result.messages.contains("c.toml"), "\(result.messages.suffix(300))")
        #expect(!here.folder.names.contains("pinn-run"))
    }

    /// A backup of hard links was called no run, and could not be exported from.
    @Test func aRunWithABackupOfHardLinksIsExported() throws {
        let here = try trained()
        try FileManager.default.createDirectory(
            atPath: here.folder.file("backup"), withIntermediateDirectories: false)
        for name in ["pinn-run.lock"] {
            try #require(link(here.folder.file("pinn-run/\(name)"), here.folder.file("backup/\(name)")) == 0)
        }
        #expect(try here.run(here.export, ["prediction.nc"]).status == 0)
    }

    /// What it began beside its file stayed, and an empty file became a map.
    @Test func aConverterThatFailsLeavesNoMap() throws {
        let here = try trained()
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        for (script, status) in [("exit 0", 74), ("for f; do :; done; echo x > $f; echo x > $f.ovr.tmp; exit 1", 74)] {
            try write("#!/bin/sh\n\(script)\n", "gdal_translate", here)
            chmod(here.folder.file("gdal_translate"), 0o755)
            let result = try here.export.run(
                ["p.nc", "--geotiff", "maps"], in: here.folder.path,
                environment: ["PATH": "\(here.folder.path):\(path)"])
            #expect(result.status == status, "\(result.messages)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: here.folder.file("maps")).isEmpty)
        }
    }
}
