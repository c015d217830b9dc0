import Foundation
import NetCDFFiles
import TestSupport
import Testing

/// What surrounds a command: its working folder, its environment, the limits of its shell. None of it changes what is computed, makes it wait
/// without end, or is taken for a fault of a file.
@Suite struct SurroundingsTests {
    private let here: Workspace
    private let shell = Tool(path: "/bin/sh")
    private static let short = Workspace.short + ["--threads", "1", "--iterations", "20"]

    init() throws {
        here = try Workspace()
        try here.addStore()
    }

    /// Runs a script in which $train, $ingest and $export are the commands, for at most a minute.
    private func run(_ script: String) throws -> Tool.Result {
        try Tool(path: "/usr/bin/timeout").run(
            ["-k", "1", "60", "/bin/sh", "-c", script], in: here.folder.path,
            environment: ["train": here.train.path, "ingest": here.ingest.path, "export": here.export.path])
    }

    private var short: String { SurroundingsTests.short.joined(separator: " ") }

    /// netCDF looks for its own settings in the working and the home directory, and waited for the writer of a pipe.
    @Test func librariesReadNoSettingsOfTheFolder() throws {
        for name in [".ncrc", ".daprc", ".dodsrc"] { try #require(mkfifo(here.folder.file(name), 0o600) == 0) }
        let result = try run(
            "export HOME=$PWD; $ingest sample_velocity_measures.nc --points 500 && $train \(short) && $export p.nc")
        #expect(result.status == 0, "\(result.messages)")
    }

    /// Swift finds the arguments in /proc, and the defaults ran where that is not mounted.
    @Test(.enabled(if: SurroundingsTests.canHideProc, "no new mount namespace can be made here"))
    func withoutProcTheArgumentsHold() throws {
        let result = try run(
            "unshare -mr sh -c 'mount -t tmpfs none /proc && exec \"$0\" \"$@\"' $train --run elsewhere \(short)")
        #expect(result.status == 0, "\(result.messages)")
        #expect(here.exists("elsewhere") && !here.exists("pinn-run"))
    }

    private static var canHideProc: Bool {
        let unshare = Tool.installed("unshare")
        return (try? unshare?.run(["-mr", "mount", "-t", "tmpfs", "none", "/proc"], in: "/"))??.status == 0
    }

    /// The bytes were replaced, and the map had another name.
    @Test func anArgumentThatIsNotTextIsRefused() throws {
        let result = try run("$train \(short) && $export $(printf 'carte-gel\\351e.nc')")
        #expect(result.status == 64 && result.messages.contains("not UTF-8"), "\(result.messages)")
        #expect(!here.folder.names.contains { $0.hasPrefix("carte") })
    }

    @Test func aStoreOfAnyNameIsFoundAgain() throws {
        let name = "a \"b\" é\n\u{1b}[1m\u{7f}'.nc"
        try FileManager.default.moveItem(atPath: here.folder.file("pinn-store.nc"), toPath: here.folder.file(name))
        #expect(try here.run(here.train, [name] + SurroundingsTests.short).status == 0)
        #expect(try here.run(here.train, ["--resume", "--iterations", "25"]).status == 0)
        #expect(try here.run(here.export, ["p.nc"]).status == 0)
        // netCDF would write into another folder, or call the file damaged.
        let result = try here.run(here.export, ["maps\\p.nc"])
        #expect(result.status == 64 && result.messages.contains("backslash"), "\(result.messages)")
    }

    /// A library that ran out of it was taken for a damaged store.
    @Test func tooLittleStackIsNamed() throws {
        let refused = try run("ulimit -s 64; $train \(short)")
        #expect(refused.status == 71 && refused.messages.contains("ulimit -s"), "\(refused.messages)")
        let raised = try run("ulimit -S -s 64; $train \(short)")
        #expect(raised.status == 0, "\(raised.messages)")
    }

    /// The process was killed without a word, or a library that worked at that moment was taken for one that does not end.
    @Test func theEndOfTheComputingTimeIsAStopWithACheckpoint() throws {
        let result = try run(
            "ulimit -t 4; $train \(Workspace.short.joined(separator: " ")) --threads 1 --iterations 10000000")
        #expect(result.status == 75 && result.messages.contains("ulimit -t"), "\(result.messages)")
        #expect(try here.run(here.export, ["p.nc"]).status == 0)
    }

    @Test func emptyNamesOfFoldersAreRefused() throws {
        for option in ["--tensorboard", "--run"] {
            let result = try here.run(here.train, SurroundingsTests.short + [option, ""])
            #expect(result.status == 64 && result.messages.contains(option), "\(result.messages)")
        }
    }
}
