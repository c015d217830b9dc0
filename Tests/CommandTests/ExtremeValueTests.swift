import Foundation
import TestSupport
import Testing

/// Every option that takes a number, found from the command's own help, with values that no range foresees: refused, or a result.
@Suite struct ExtremeValueTests {
    private static let values = [
        "0", "-1", "NaN", "inf", "-inf", "1e-324", "5e-324", "1e-15", "1e308", "150000", "1e6", "1e12", "2147483648",
        "4294967296", "9007199254740993", "9223372036854775806", "9223372036854775807", "9223372036854775808",
        "18446744073709551615", "1e19", "", String(repeating: "9", count: 400),
    ]

    /// What makes a command do as little as it can.
    private static let small: [(command: String, arguments: [String])] = [
        ("pinn-ingest", ["sample_velocity_measures.nc", "--points", "1000", "-o", "other.nc"]),
        ("pinn-plan", ["--points", "1e6", "--unit-time", "0.01", "--network", "2x8"]),
        (
            "pinn-train",
            [
                "--network", "1x4", "--optimizer", "adam", "--stream", "chunk=64,sample=128", "--iterations", "3",
                "--threads", "1", "--run",
                "r",
            ]
        ),
        ("pinn-export", ["out.nc"]), ("pinn-report", ["out.html"]), ("pinn-eval", ["sample_truth.nc"]),
        ("pinn-bench", ["--points", "256", "--network", "1x8", "--seconds", "0.1", "--threads", "1"]),
        ("pinn-sample", ["-o", "made", "--spacing-m", "5000"]),
    ]

    private struct Help: Decodable {
        struct Command: Decodable { let arguments: [Argument] }
        struct Argument: Decodable {
            struct Name: Decodable { let name: String }
            let kind: String
            let preferredName: Name?
            let abstract: String?
            let defaultValue: String?
            let valueName: String?
        }
        let command: Command
    }

    /// "8x128" as "{}x128", "8x{}" and "{}x{}": the words of a text that hold numbers, or N in their place, between other signs.
    private func patterns(in text: String) -> Set<String> {
        var patterns: Set<String> = []
        for word in text.split(whereSeparator: { " \n;()'\"".contains($0) }) {
            let word = word.trimmingCharacters(in: CharacterSet(charactersIn: ".,:"))
                .replacing(/[A-Z][A-Z-]+|\bN\b/, with: "7")
            let numbers = word.ranges(of: /[0-9]+(\.[0-9]+)?(e[0-9]+)?/)
            guard !numbers.isEmpty, word.contains(where: { "=:x,+".contains($0) }) else { continue }
            for number in numbers { patterns.insert(word.replacingCharacters(in: number, with: "{}")) }
            var all = word
            for number in numbers.reversed() { all.replaceSubrange(number, with: "{}") }
            patterns.insert(all)
        }
        return patterns
    }

    private func run(_ here: Workspace, _ tool: Tool, _ arguments: [String]) throws -> Tool.Result {
        // Neither half of a large memory nor a full disk is anything to try here.
        let words = [tool.path] + arguments
        let script = "ulimit -v 4000000; ulimit -f 500000; ulimit -c 0; exec \"$@\""
        return try Tool(path: "/bin/sh").run(["-c", script, "sh"] + words, in: here.folder.path) { running in
            // Work without end is right for a million iterations; then a signal must end it.
            for signal in [SIGTERM, SIGKILL] {
                let end = Date() + (signal == SIGTERM ? 3 : 10)
                running.wait { _ in Date() > end }
                running.send(signal)
            }
        }
    }

    @Test(arguments: small.map { $0.command }) func areRefusedOrGiveAResult(_ name: String) throws {
        let here = try Workspace()
        try here.addStore()
        try FileManager.default.copyItem(
            atPath: Places.sample("sample_truth.nc"), toPath: here.folder.file("sample_truth.nc"))
        try #require(here.run(here.train, Workspace.short + ["--iterations", "3"]).status == 0)
        let tool = try #require(Tool.built(name))
        let small = try #require(Self.small.first { $0.command == name }).arguments
        let help = try JSONDecoder().decode(
            Help.self, from: Data(here.run(tool, ["--experimental-dump-help"]).output.utf8))
        try #require(run(here, tool, small).status == 0)
        let options = help.command.arguments.filter { $0.kind == "option" }
        for argument in Places.runsLongTests ? options : Array(options.shuffled().prefix(6)) {
            guard let option = argument.preferredName?.name else { continue }
            func attempt(_ value: String) throws -> Tool.Result {
                try? FileManager.default.removeItem(atPath: here.folder.file("r"))
                return try run(here, tool, small + ["--\(option)=\(value)"])
            }
            // A name of a file or a run may be anything.
            let refusal = try attempt("?")
            guard refusal.status == 64 else { continue }
            let list = argument.valueName.flatMap { $0.contains(",") ? $0.replacing(/[a-z]+/, with: "7") : nil }
            let texts = [argument.abstract, argument.defaultValue, list, refusal.messages].compactMap { $0 }
            let patterns = texts.reduce(into: Set(["{}"])) { $0.formUnion(self.patterns(in: $1)) }
            let cases = patterns.sorted().flatMap { pattern in Self.values.map { pattern.replacing("{}", with: $0) } }
            for value in ProcessInfo.processInfo.environment["PINN_EXTREMES"] != nil
                ? cases : [cases.randomElement() ?? "0"]
            {
                let result = try attempt(value)
                let isEnd =
                    result.died ? result.status == SIGTERM : [0, 3, 64, 65, 71, 74, 75, 143].contains(result.status)
                #expect(isEnd, "\(name) --\(option)=\(value): \(result.status) \(result.messages)")
                #expect(!result.messages.contains("mistake of the program"), "\(result.messages)")
            }
        }
    }

    /// What ended in a trap, or would have where sizes are multiplied.
    @Test(arguments: [
        ("pinn-train", ["--optimizer", "ssbroyden", "--network", "64x4096"]),
        ("pinn-train", ["--network", "64x4096+64x4096", "--subdomains", "64x64", "--optimizer", "lbfgs"]),
        ("pinn-train", ["--optimizer", "adam:1e12,lbfgs:1"]),
        ("pinn-plan", ["--optimizer", "ssbroyden", "--network", "64x4096", "--ensemble", "1000"]),
        ("pinn-export", ["out.nc", "--spacing-m", "150000"]), ("pinn-export", ["out.nc", "--spacing-m", "5e-324"]),
    ]) func whatLedToTrapsIsRefused(_ name: String, arguments: [String]) throws {
        let here = try Workspace()
        try here.addStore()
        try #require(here.run(here.train, Workspace.short + ["--iterations", "1"]).status == 0)
        let result = try run(here, try #require(Tool.built(name)), arguments)
        #expect(result.status == 64 && !result.died && result.messages.contains(arguments.first { $0 != "out.nc" }!))
    }
}

extension String {
    fileprivate func replacingCharacters(in range: Range<Index>, with text: String) -> String {
        var changed = self
        changed.replaceSubrange(range, with: text)
        return changed
    }
}
