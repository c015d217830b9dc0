import Foundation
import TestSupport
import Testing

/// Limits of a shell on memory (`ulimit -v`, `-d`): whatever they are, a command does its work or says in one line that it
/// cannot, before it writes anything. A Swift program whose allocation fails ends in a trap instead, Dispatch waited for ever
/// for a thread that could not be started, and OpenBLAS asked for memory over and over as it was loaded, even for --help.
@Suite struct MemoryLimitTests {
    /// A command with an output that is removed before each try.
    private struct Attempt {
        let tool: Tool
        let arguments: [String]
        var output: String?
    }

    private let here: Workspace
    private let timeout: String

    init() throws {
        here = try Workspace()
        try here.addStore()
        // Wide enough that the tiles of a thread and the weights count beside what threads reserve.
        let wide = ["--stream", "chunk=64", "--network", "4x256", "--iterations", "1"]
        try #require(here.run(here.train, wide).status == 0)
        timeout = try #require(Tool.installed("timeout")).path
    }

    private func attempt(_ name: String, _ arguments: [String], output: String? = nil) throws -> Attempt {
        Attempt(tool: try #require(Tool.built(name)), arguments: arguments, output: output)
    }

    @Test(arguments: ["-v", "-d"]) func aLimitOnMemoryNeitherHangsACommandNorKillsIt(_ option: String) throws {
        try walk(attempt("pinn-ingest", ["--help"]), option, step: 8000, reach: 16000)
        for threads in ["1", "2"] {
            let export = ["out.nc", "--spacing-m", "3000", "--threads", threads]
            try walk(attempt("pinn-export", export, output: "out.nc"), option, step: 4000, reach: 20000)
        }
        #expect(here.partialFiles.isEmpty)
    }

    @Test(
        .enabled(if: Places.runsLongTests, "set PINN_LONG_TESTS=1 to run"),
        arguments: ["-v", "-d"], ["1", "2"])
    func noCommandDiesOfALimitOnMemory(_ option: String, _ threads: String) throws {
        var attempts = try [
            attempt("pinn-export", ["out.nc", "--spacing-m", "2000", "--threads", threads], output: "out.nc"),
            attempt("pinn-export", ["out.nc", "--fields", "u", "--threads", threads], output: "out.nc"),
            attempt("pinn-report", ["out.html", "--threads", threads], output: "out.html"),
            attempt("pinn-eval", [Places.sample("sample_truth.nc"), "--threads", threads]),
        ]
        // These make no use of threads, or plan them by the same rule.
        if threads == "2" {
            attempts += try [
                attempt(
                    "pinn-train", Workspace.short + ["--iterations", "5", "--run", "other", "--threads", threads],
                    output: "other"),
                attempt("pinn-plan", ["--points", "1e4", "--threads", threads, "--unit-time", "1"]),
                attempt("pinn-ingest", ["sample_velocity_measures.nc", "-o", "other.nc"], output: "other.nc"),
                attempt("pinn-sample", ["--spacing-m", "1000", "--output", "shelf"], output: "shelf"),
            ]
        }
        for attempt in attempts { try walk(attempt, option, step: 4000, reach: 8000, coarse: 80_000) }
        #expect(here.partialFiles.isEmpty)
    }

    /// Tries limits far apart; between two of which a command ends differently, finds the limit where it does so to 1 MB and
    /// tries small steps around it.
    ///
    /// - Parameters: `step`, `reach`, `coarse`: kilobytes.
    private func walk(
        _ attempt: Attempt, _ option: String, step: Int, reach: Int, coarse: Int = 40_000
    ) throws {
        let endings = try stride(from: 20_000, through: 900_000, by: coarse).map {
            (limit: $0, ending: try ending(of: attempt, option, $0))
        }
        for (one, other) in zip(endings, endings.dropFirst()) where one.ending != other.ending {
            var (low, high) = (one.limit, other.limit)
            while high - low > 1000 {
                let middle = (low + high) / 2
                if try ending(of: attempt, option, middle) == one.ending { low = middle } else { high = middle }
            }
            for limit in stride(from: low - reach, through: high + reach, by: step) where limit > 0 {
                _ = try ending(of: attempt, option, limit)
            }
        }
    }

    /// The status, with the message of a refusal but for its figures.
    private func ending(of attempt: Attempt, _ option: String, _ kilobytes: Int) throws -> String {
        if let output = attempt.output { try? FileManager.default.removeItem(atPath: here.folder.file(output)) }
        let result = try Tool(path: "/bin/sh").run(
            [
                "-c", "ulimit \(option) \(kilobytes); exec \"$0\" \"$@\"", timeout, "-k", "1", "60",
                attempt.tool.path,
            ] + attempt.arguments, in: here.folder.path)
        // The system's loader ends with 127, and sh with 2, where libraries cannot be mapped; what other options would make fit
        // is a matter of usage.
        let what =
            "\(attempt.tool.path) \(attempt.arguments) \(option) \(kilobytes): \(result.status) \(result.messages)"
        #expect(!result.died && [0, 2, 64, 71, 126, 127].contains(result.status), "\(what)")
        guard [64, 71].contains(result.status) else { return "\(result.status)" }
        // A note may come before it.
        let errors = result.messages.split(separator: "\n").filter { $0.hasPrefix("error: ") }
        #expect(errors.count == 1, "\(what)")
        if let output = attempt.output { #expect(!here.exists(output), "\(what)") }
        return errors.last.map { $0.filter { !$0.isNumber } } ?? ""
    }
}
