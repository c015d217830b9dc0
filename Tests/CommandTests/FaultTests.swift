import Foundation
import TestSupport
import Testing

/// Whether strace is there and may trace.
enum Strace {
    static let works: Bool = {
        guard let strace = Tool.installed("strace"), let folder = try? TemporaryFolder() else { return false }
        return (try? strace.run(["-o", "/dev/null", "true"], in: folder.path).status) == 0
    }()
}

/// Faults of the machine, injected into system calls by strace; skipped where strace or ptrace is missing.
@Suite(
    .enabled(if: Places.runsLongTests, "set PINN_LONG_TESTS=1 to run"),
    .enabled(if: Strace.works, "strace cannot trace here"))
struct FaultTests {
    private func trace(_ here: Workspace, _ injection: String, _ call: String, _ tool: Tool, _ arguments: [String])
        throws -> Tool.Result
    {
        try #require(Tool.installed("strace")).run(
            ["-f", "-o", "/dev/null", "-e", "trace=\(call)", "-e", "inject=\(call):\(injection)", tool.path]
                + arguments, in: here.folder.path)
    }

    /// Kill -9 at the K-th call, for K = 1, 2, 4, 7, 11 ... until the command ends by itself.
    private func kill(
        _ here: Workspace, at call: String, _ tool: Tool, _ arguments: [String], after: (Int) throws -> Void
    ) throws -> Int {
        var place = 1
        var step = 1
        while true {
            let result = try trace(here, "signal=SIGKILL:when=\(place)", call, tool, arguments)
            try after(place)
            if !result.died && result.status == 0 { return place }
            place += step
            step += 1
            try #require(place < 5000)
        }
    }

    @Test(arguments: ["pwrite64", "fsync", "rename"]) func aKilledIngestLeavesTheOldStoreOrTheNewOne(_ call: String)
        throws
    {
        let here = try Workspace()
        try here.addStore()
        let old = try here.bytes("pinn-store.nc")
        let arguments = ["sample_velocity_measures.nc", "--points", "30000", "--seed", "5"]
        let last = try kill(here, at: call, here.ingest, arguments) { _ in
            // Either way it is a whole store: the trainer's reader checks every byte.
            if try here.bytes("pinn-store.nc") != old {
                #expect(
                    try here.run(here.train, Workspace.short + ["--iterations", "1", "--run", UUID().uuidString]).status
                        == 0)
                try old.write(to: URL(fileURLWithPath: here.folder.file("pinn-store.nc")))
            }
        }
        #expect(last > 1)
        #expect(here.partialFiles.isEmpty)
    }

    @Test(arguments: ["pwrite64", "fsync", "rename"]) func aKilledTrainerKeepsAWholeCheckpointAndGoesOn(_ call: String)
        throws
    {
        let here = try Workspace()
        try here.addStore()
        let options = Workspace.short + ["--iterations", "60", "--checkpoint-every", "0.001"]
        var killed = 0
        for place in [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144] {
            let run = "run\(place)"
            let first = try trace(here, "signal=SIGKILL:when=\(place)", call, here.train, options + ["--run", run])
            guard first.died || first.status != 0 else { continue }
            killed += 1
            // Killed before its first checkpoint, a run is begun again; later, it is resumed.
            var resumed = try here.run(here.train, ["--run", run, "--resume"])
            // On a busy machine the killed one takes a while to let go of its lock.
            for _ in 0..<100 where resumed.status == 69 {
                usleep(100_000)
                resumed = try here.run(here.train, ["--run", run, "--resume"])
            }
            if resumed.status == 66 {
                #expect(try here.run(here.train, options + ["--run", run]).status == 0)
            } else {
                #expect(resumed.status == 0, "\(resumed.messages)")
            }
        }
        #expect(killed > 2)
        #expect(here.partialFiles.isEmpty)
    }

    @Test func aFullDiskIsToldAndTheOldOutputsStayWhole() throws {
        let here = try Workspace()
        try here.addStore()
        #expect(try here.run(here.train, Workspace.short + ["--iterations", "5"]).status == 0)
        #expect(try here.run(here.export, []).status == 0)
        let before = try ["pinn-store.nc", "prediction.nc", "pinn-run/checkpoint-0000000005.nc"].map {
            try here.bytes($0)
        }
        for place in [1, 2, 5, 9, 20] {
            for (tool, arguments) in [
                (here.ingest, ["sample_velocity_measures.nc", "--points", "30000", "--seed", "5"]),
                (here.export, ["prediction.nc"]),
                (here.train, ["--resume", "--iterations", "10"]),
            ] {
                let result = try trace(here, "error=ENOSPC:when=\(place)+", "pwrite64", tool, arguments)
                // A command that writes less often than that ends well.
                if result.status == 0 { continue }
                #expect(result.status == 74 && !result.died, "\(arguments) at \(place): \(result.messages)")
                // libhdf5 itself may die of the failed write; the guard says so in its own words.
                let told = ["No space left on device", "check whether the disk is full"].contains {
                    result.messages.contains($0)
                }
                #expect(told, "\(result.messages)")
                #expect(here.partialFiles.isEmpty, "\(arguments) at \(place)")
                let after = try ["pinn-store.nc", "prediction.nc", "pinn-run/checkpoint-0000000005.nc"].map {
                    try here.bytes($0)
                }
                #expect(after == before, "\(arguments) at \(place)")
            }
        }
    }

    @Test(arguments: ["fsync", "rename"]) func aFailedLastStepIsToldAndTheOldStoreStays(_ call: String) throws {
        let here = try Workspace()
        try here.addStore()
        let old = try here.bytes("pinn-store.nc")
        let result = try trace(
            here, "error=EIO:when=1+", call, here.ingest, ["sample_velocity_measures.nc", "--points", "30000"])
        #expect(result.status == 74 && !result.died, "\(result.messages)")
        #expect(try here.bytes("pinn-store.nc") == old)
        #expect(here.partialFiles.isEmpty)
    }

    /// At some places HDF5 1.10.8 dies of the error (the 75th reading of the sample): then it is taken for the file's. It also writes the
    /// local time of the error, and a time zone that cannot be looked up must not hide the reason.
    @Test(arguments: ["UTC0", ":/no/such/zone"]) func aReadErrorInAProductIsOneOfTheDiskNotOfTheFile(zone: String)
        throws
    {
        let here = try Workspace()
        try here.addSample()
        let product = here.folder.file("sample_velocity_measures.nc")
        for place in [1, 5, 20, 60, 80] {
            let result = try here.run(
                try #require(Tool.installed("strace")),
                [
                    "-f", "-o", "/dev/null", "-E", "TZ=\(zone)", "-P", product, "-e", "trace=pread64", "-e",
                    "inject=pread64:error=EIO:when=\(place)+", here.ingest.path, product, "--thickness",
                    "sample_bedmachine_v2.nc",
                ])
            #expect(result.status == 74 && !result.died, "at \(place): \(result.messages)")
            #expect(result.messages.contains("Input/output error") && result.messages.contains(product))
        }
    }

    @Test func aReadErrorInAStoreThatIsNotMappedEndsTheRunWithACheckpointOfWhatItReached() throws {
        let here = try Workspace()
        try here.addStore()
        let options = ["--optimizer", "adam", "--stream", "chunk=512", "--network", "2x16", "--iterations", "500"]
        let store = here.folder.file("pinn-store.nc")
        // The first two hundred readings open the store; each iteration makes a dozen.
        let result = try here.run(
            try #require(Tool.installed("strace")),
            [
                "-f", "-o", "/dev/null", "-E", "PINN_NO_MMAP=1", "-P", store, "-e", "trace=pread64", "-e",
                "inject=pread64:error=EIO:when=400+", here.train.path, store,
            ] + options)
        #expect(result.messages.contains("read with pread: PINN_NO_MMAP is set"))
        #expect(result.status == 74 && !result.died, "\(result.messages)")
        #expect(result.messages.contains("Input/output error") && result.messages.contains("--resume"))
        // The first checkpoint would be due after a minute.
        #expect(here.checkpoints.count == 1)
        #expect(try here.run(here.train, ["--resume"]).status == 0)
    }
}

/// A file system on a small disk that can lose its end, as `losetup` makes it for root.
private struct FailingDisk {
    let folder: TemporaryFolder
    private let device: String
    static let megabytes = 64

    static let works: Bool = {
        guard let disk = try? FailingDisk(), (try? disk.mount(readOnly: false)) != nil else { return false }
        disk.remove()
        return true
    }()

    init() throws {
        folder = try TemporaryFolder()
        _ = FileManager.default.createFile(atPath: folder.file("disk"), contents: nil)
        truncate(folder.file("disk"), off_t(FailingDisk.megabytes << 20))
        try FileManager.default.createDirectory(atPath: folder.file("mounted"), withIntermediateDirectories: true)
        _ = try FailingDisk.run(folder, "mkfs.ext4 -q -F disk")
        // Direct: what is lost must not remain in the page cache of the file under the device.
        device = try FailingDisk.run(folder, "losetup --direct-io=on --show -f disk").trimmingCharacters(
            in: .whitespacesAndNewlines)
    }

    func mount(readOnly: Bool) throws {
        _ = try FailingDisk.run(folder, "mount \(readOnly ? "-o ro" : "") \(device) mounted")
    }

    func unmount() throws { _ = try FailingDisk.run(folder, "umount mounted") }

    /// From here on, what lies behind the first megabytes and was not read before cannot be read.
    func loseAll(behind megabytes: Int) { truncate(folder.file("disk"), off_t(megabytes << 20)) }

    func remove() {
        try? unmount()
        _ = try? FailingDisk.run(folder, "losetup -d \(device)")
    }

    private static func run(_ folder: TemporaryFolder, _ command: String) throws -> String {
        let result = try Tool(path: "/bin/sh").run(["-c", command], in: folder.path)
        guard result.status == 0 else { throw CocoaError(.fileReadUnknown) }
        return result.output
    }
}

@Suite(.enabled(if: Places.runsLongTests, "set PINN_LONG_TESTS=1 to run"))
struct MappedStoreTests {
    @Test(.enabled(if: FailingDisk.works, "no disk can be mounted here"))
    func aDiskThatFailsUnderAMappedStoreEndsTheRunWithACheckpointOfWhatItReached() throws {
        let here = try Workspace()
        try here.addSample()
        let disk = try FailingDisk()
        defer { disk.remove() }
        try disk.mount(readOnly: false)
        let store = disk.folder.file("mounted/pinn-store.nc")
        try #require(
            here.run(here.ingest, ["sample_velocity_measures.nc", "--points", "4000000", "-o", store]).status == 0)
        // Not in the page cache.
        try disk.unmount()
        try disk.mount(readOnly: true)
        let options = [
            "--optimizer", "adam", "--stream", "chunk=4000", "--network", "2x16", "--checkpoint-every", "0.05",
        ]
        let result = try here.run(here.train, [store, "--iterations", "1000000"] + options) { running in
            running.wait { _ in !here.checkpoints.isEmpty }
            disk.loseAll(behind: 24)
        }
        #expect(result.status == 74 && !result.died, "\(result.messages)")
        #expect(result.messages.contains("memory-mapped"))
        #expect(result.messages.contains("cannot read at byte") && result.messages.contains("Input/output error"))
        #expect(result.messages.contains("--resume") && !here.checkpoints.isEmpty)
    }

    @Test(arguments: [8192, 100_001, 300_001]) func aStoreThatIsCutWhileItIsMappedEndsTheRunWithACheckpoint(bytes: Int)
        throws
    {
        let here = try Workspace()
        try here.addStore()
        let options = [
            "--optimizer", "adam", "--stream", "chunk=1e3", "--network", "2x16", "--checkpoint-every", "0.05",
        ]
        let result = try here.run(here.train, options + ["--iterations", "1000000"]) { running in
            running.wait { _ in !here.checkpoints.isEmpty }
            truncate(here.folder.file("pinn-store.nc"), off_t(bytes))
        }
        #expect(result.status == 74 && !result.died, "\(result.messages)")
        #expect(result.messages.contains("cannot read at byte \(bytes): the file ends here"))
    }
}
