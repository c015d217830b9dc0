import Fields
import Foundation
import NetCDFFiles
import TestSupport
import Testing

/// Slips that would lose data, and inputs that would hang: found by trying.
@Suite struct GuardTests {
    private func trained() throws -> Workspace {
        let here = try Workspace()
        try here.addStore()
        try #require(here.run(here.train, Workspace.short + ["--iterations", "20"]).status == 0)
        return here
    }

    @Test func exportReplacesNothingButAPrediction() throws {
        let here = try trained()
        let guarded = ["pinn-store.nc", "pinn-run/checkpoint-0000000020.nc", "sample_bedmachine_v2.nc"]
        for name in guarded {
            let before = try here.bytes(name)
            let result = try here.run(here.export, [name])
            #expect(result.status == 64 && result.messages.contains(name), "\(result.messages)")
            #expect(try here.bytes(name) == before)
        }
        #expect(try here.run(here.export, ["prediction.nc"]).status == 0)
        #expect(try here.run(here.export, ["prediction.nc"]).status == 0)
    }

    @Test func noCommandReplacesWhatIsNotItsOwn() throws {
        let here = try trained()
        try Data("my thesis".utf8).write(to: URL(fileURLWithPath: here.folder.file("thesis.tex")))
        let sample = try #require(Tool.built("pinn-sample"))
        // Before the work and instead of looking for another thickness.
        let tries: [(tool: Tool, arguments: [String], guarded: String)] = [
            (here.ingest, ["sample_velocity_measures.nc", "-o", "thesis.tex"], "thesis.tex"),
            (here.ingest, ["sample_velocity_measures.nc", "-o", "sample_bedmachine_v2.nc"], "sample_bedmachine_v2.nc"),
            (here.ingest, ["sample_velocity_measures.nc", "-o", "pinn-run/plan.toml"], "pinn-run/plan.toml"),
            (sample, ["--name", "real"], "real_truth.nc"),
        ]
        // A product's own name, and no file of pinn-sample.
        let store = here.folder.file("real_truth.nc")
        try FileManager.default.copyItem(atPath: here.folder.file("pinn-store.nc"), toPath: store)
        for (tool, arguments, name) in tries {
            let before = try here.bytes(name)
            let result = try here.run(tool, arguments)
            #expect(result.status == 64 && result.messages.contains("is not replaced"), "\(result.messages)")
            #expect(try here.bytes(name) == before)
        }
        #expect(!here.exists("real_velocity_measures.nc"))
        let again = ["sample_velocity_measures.nc", "--points", "100", "-o", "real_truth.nc"]
        #expect(try here.run(here.ingest, again).status == 0)
    }

    @Test(.enabled(if: Tool.installed("gdal_translate") != nil, "gdal-bin is not installed"))
    func mapsReplaceOnlyMaps() throws {
        let here = try trained()
        let export = ["p.nc", "--geotiff", "maps", "--fields", "mu"]
        for _ in 0..<2 { #expect(try here.run(here.export, export).status == 0) }
        try Data("mine".utf8).write(to: URL(fileURLWithPath: here.folder.file("maps/mu.tif")))
        let result = try here.run(here.export, export)
        #expect(result.status == 64 && result.messages.contains("maps/mu.tif"), "\(result.messages)")
        #expect(try here.bytes("maps/mu.tif") == Data("mine".utf8))
    }

    /// A file that is opened where standard error is closed had its number, and the progress line was written into the map.
    @Test(arguments: ["2>&-", "<&- 2>&-", "<&- >&- 2>&-"])
    func closedStandardStreamsSpoilNothing(_ closed: String) throws {
        let here = try trained()
        let shell = Tool(path: "/bin/sh")
        let script = "exec \(here.export.path) p.nc \(closed)"
        #expect(try shell.run(["-c", script], in: here.folder.path).status == 0)
        let crs = try NetCDFFile(reading: here.folder.file("p.nc")).requireVariable("crs")
        // Unwritten, it held what stood in memory, and no two readings of a file were equal.
        #expect(try crs.read() == [0])
        let ingest = "exec \(here.ingest.path) sample_velocity_measures.nc --points 100 \(closed)"
        #expect(try shell.run(["-c", ingest], in: here.folder.path).status == 0)
        #expect(try here.run(here.train, Workspace.short + ["--iterations", "1", "--run", "other"]).status == 0)
    }

    @Test func anOutputHasOneWriterAtATime() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("out.nc")
        let first = try AtomicFile(replacing: path)
        let failure = #expect(throws: NetCDFError.self) { _ = try AtomicFile(replacing: path) }
        #expect(failure?.kind == .heldByAnother)
        // What the other is writing is no leftover.
        AtomicFile.removeLeftovers(in: folder.path) { $0 == "out.nc" }
        try Data("whole".utf8).write(to: URL(fileURLWithPath: first.temporaryPath))
        try first.commit()
        first.discard()
        let second = try AtomicFile(replacing: path)
        second.discard()
        #expect(folder.names == ["out.nc"])
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data("whole".utf8))
    }

    @Test func aPipeIsRefusedWithoutWaitingForItsOtherEnd() throws {
        let here = try Workspace()
        try #require(mkfifo(here.folder.file("pipe.nc"), 0o600) == 0)
        for tool in [here.ingest, here.train] {
            let result = try here.run(tool, ["pipe.nc"])
            #expect(result.status == 65 && result.messages.contains("regular file"), "\(result.messages)")
        }
        #expect(try here.run(here.train, ["--config", "pipe.nc"]).status == 66)
        #expect(try here.run(here.train, ["--config", "."]).status == 66)
    }

    @Test func aRunThatIsFartherThanAskedIsSaidSo() throws {
        let here = try trained()
        let result = try here.run(here.train, ["--resume", "--iterations", "5"])
        #expect(result.status == 64 && result.messages.contains("20 iterations"), "\(result.messages)")
    }

    @Test(arguments: [SIGINT, SIGTERM]) func anInterruptedIngestLeavesNothingAndHasTheStatusOfItsSignal(_ signal: Int32)
        throws
    {
        let here = try Workspace()
        try here.addSample()
        let before = here.folder.names
        let result = try here.run(here.ingest, ["sample_velocity_measures.nc", "--points", "1e8"]) { running in
            running.wait { _ in !here.partialFiles.isEmpty }
            running.send(signal)
        }
        #expect(result.status == 128 + signal && !result.died, "\(result.messages)")
        #expect(here.folder.names == before)
    }

    /// libproj ends in an abort where it cannot read its database. (The signal may also come while libnetcdf writes.)
    @Test func aLibraryThatAbortsLeavesNoUnfinishedOutput() throws {
        let here = try Workspace()
        try here.addSample()
        let before = here.folder.names
        let result = try here.run(here.ingest, ["sample_velocity_measures.nc", "--points", "1e8"]) { running in
            // When it is being written: between its creation and that, no library is called.
            running.wait { _ in
                here.partialFiles.contains {
                    let attributes = try? FileManager.default.attributesOfItem(atPath: here.folder.file($0))
                    return (attributes?[.size] as? Int ?? 0) > 0
                }
            }
            running.send(SIGABRT)
        }
        let isOfNetCDF = result.messages.contains("the NetCDF library crashed")
        #expect(result.status == (isOfNetCDF ? 74 : 70) && !result.died, "\(result.messages)")
        #expect(isOfNetCDF || result.messages.contains("error: a library ended this command"))
        #expect(here.folder.names == before)
    }

    @Test(arguments: [SIGINT, SIGTERM]) func anInterruptedExportLeavesNothingAndHasTheStatusOfItsSignal(_ signal: Int32)
        throws
    {
        let here = try trained()
        // On one thread and with a wide network the sample takes seconds.
        try #require(
            here.run(
                here.train,
                [
                    "--optimizer", "adam", "--stream", "chunk=64", "--network", "8x512", "--iterations", "1", "--run",
                    "wide", "--threads", "1",
                ]
            ).status == 0)
        let before = here.folder.names
        let result = try here.run(here.export, ["--run", "wide", "--threads", "1"]) { running in
            running.wait { _ in !here.partialFiles.isEmpty }
            running.send(signal)
        }
        #expect(result.status == 128 + signal && !result.died, "\(result.messages)")
        #expect(here.folder.names == before)
    }

    /// Swift's runtime printed where it was, and the partial file stayed.
    @Test func ctrlBackslashEndsAnIngestByItsSignalWithoutAWordAndLeavesNothing() throws {
        let here = try Workspace()
        try here.addSample()
        let before = here.folder.names
        let result = try here.run(
            here.ingest, ["sample_velocity_measures.nc", "--thickness", "sample_bedmachine_v2.nc", "--points", "1e8"]
        ) { running in
            running.wait { _ in !here.partialFiles.isEmpty }
            running.send(SIGQUIT)
        }
        #expect(result.died && result.status == SIGQUIT && !result.messages.contains("Backtrac"), "\(result.messages)")
        #expect(here.folder.names == before)
    }

    /// libdispatch trapped where it could not open a file of its own.
    @Test(arguments: ["pinn-ingest", "pinn-train", "pinn-export", "pinn-plan"], [4, 6, 7, 8, 12])
    func tooFewFilesAreToldBeforeTheWork(_ name: String, _ files: Int) throws {
        let here = try Workspace()
        let tool = try #require(Tool.built(name))
        let result = try Tool(path: "/bin/sh").run(
            ["-c", "ulimit -n \(files); exec \(tool.path) --help"], in: here.folder.path)
        #expect(result.status == 71 && !result.died, "\(result.messages)")
        #expect(result.messages.split(separator: "\n").count == 1 && result.messages.contains("ulimit -n"))
    }

    /// OpenBLAS ended the process as if by Ctrl-C. (The superuser has no such limit.)
    @Test(.enabled(if: getuid() != 0)) func aReaderThatCannotBeStartedIsOneOfTheSystem() throws {
        let here = try Workspace()
        try here.addSample()
        let result = try Tool(path: "/bin/sh").run(
            ["-c", "ulimit -u 1; exec \(here.ingest.path) sample_velocity_measures.nc"], in: here.folder.path)
        #expect(result.status == 71 && !result.died, "\(result.messages)")
        #expect(result.messages.contains("cannot start"))
    }

    @Test func aStoreThatIsCutUnderATrainerIsAnErrorWithACheckpointToGoOnFrom() throws {
        let here = try Workspace()
        try here.addStore()
        let store = try here.bytes("pinn-store.nc")
        let options = [
            "--optimizer", "adam", "--stream", "chunk=1e3", "--network", "2x16", "--checkpoint-every", "0.05",
        ]
        let result = try here.run(here.train, options + ["--iterations", "1000000"]) { running in
            running.wait { _ in !here.checkpoints.isEmpty }
            truncate(here.folder.file("pinn-store.nc"), 4096)
        }
        #expect(result.status == 74 && !result.died, "\(result.messages)")
        #expect(result.messages.contains("pinn-store.nc") && result.messages.contains("--resume"))
        try store.write(to: URL(fileURLWithPath: here.folder.file("pinn-store.nc")))
        let checkpoint = try #require(here.checkpoints.last)
        let next = try #require(Int(checkpoint.filter(\.isNumber))) + 10
        #expect(try here.run(here.train, ["--resume", "--iterations", String(next)]).status == 0)
    }

    @Test func aFileThatOutgrowsTheLimitOfABatchSystemIsAnErrorAndLeavesNothing() throws {
        let here = try Workspace()
        try here.addSample()
        let before = here.folder.names
        let result = try Tool(path: "/bin/sh").run(
            ["-c", "ulimit -f 100; exec \(here.ingest.path) sample_velocity_measures.nc --points 20000"],
            in: here.folder.path)
        #expect(result.status == 74 && !result.died, "\(result.messages)")
        #expect(result.messages.contains("pinn-store.nc"))
        #expect(here.folder.names == before)
    }

    @Test func aTerminalThatIsClosedStopsATrainerWithACheckpoint() throws {
        let here = try Workspace()
        try here.addStore()
        let result = try here.run(here.train, Workspace.short + ["--iterations", "1000000"]) { running in
            running.wait { _ in here.exists("pinn-run/plan.toml") }
            running.send(SIGHUP)
        }
        #expect(result.status == 75 && !result.died && !here.checkpoints.isEmpty, "\(result.messages)")
    }

    @Test(arguments: ["--schema", "--polygon", "--config"]) func aPipeInPlaceOfAFileIsRefusedAtOnce(_ option: String)
        throws
    {
        let here = try Workspace()
        try here.addSample()
        mkfifo(here.folder.file("pipe.json"), 0o600)
        let result = try here.run(here.ingest, ["sample_velocity_measures.nc", option, "pipe.json"])
        #expect(
            [64, 65, 66, 74].contains(result.status) && result.messages.contains("pipe.json"), "\(result.messages)")
    }

    @Test func aRunIsScoredFromAnyFolderWithTheStoreThatLiesBesideIt() throws {
        let here = try trained()
        let result = try #require(Tool.built("pinn-eval")).run(
            [Places.sample("sample_truth.nc"), "--run", here.folder.file("pinn-run")], in: "/")
        #expect(result.status == 0 && result.output.contains("mu"), "\(result.messages)")
    }

    @Test func namesWithBlanksAreQuotedInTheCommandThatIsToldNext() throws {
        let here = try Workspace()
        try here.addStore()
        let result = try here.run(here.train, Workspace.short + ["--iterations", "5", "--run", "my run"])
        #expect(result.output.contains("--run 'my run'"), "\(result.output)")
    }
}
