import CommandSupport
import Fields
import Foundation
import Runs
import TestSupport
import Testing

/// Every entry of the table of training options: a new one is tested by being there.
@Suite struct OptionTests {
    private enum NoDefaults: TrainingDefaults { static let values: [String: String] = [:] }

    /// Texts among which every option finds a value of its own.
    private static let texts = [
        "950", "1e8",
        "7", "2000", "0.25", "1e-3", "2x3", "3x4+5x6", "6", "chunk=64,data=3,front=2,sample=128",
        "rad:k=2.0,c=0.5,every=10,candidates=3", "adam:5,lbfgs", "constant", "gradient", "bootstrap", "flat",
        "anisotropic",
        "cpu", "tf32", "another store.nc",
    ]
    private static let names = ConfigurationOption.all.map(\.name)

    private static func option(_ name: String) throws -> ConfigurationOption {
        try #require(ConfigurationOption.named(name))
    }

    /// Configurations that differ from the default in one option, and may be run.
    private static func changed(_ option: ConfigurationOption) -> [(text: String, configuration: TrainingConfiguration)]
    {
        let initial = TrainingConfiguration()
        return texts.compactMap { text in
            var configuration = initial
            guard (try? option.parse(text, &configuration)) != nil, (try? configuration.validate()) != nil,
                option.text(configuration) != option.text(initial)
            else { return nil }
            return (text, configuration)
        }
    }

    @Test("a cosine needs the length of phases that have a learning rate, and of no others")
    func cosine() throws {
        func configuration(_ optimizer: String) throws -> TrainingConfiguration {
            try TrainingConfiguration(["optimizer": optimizer, "schedule": "cosine"], resuming: nil)
        }
        for optimizer in ["soap:10,lm", "lm", "adam:5,ssbroyden"] { _ = try configuration(optimizer) }
        for optimizer in ["adam", "lm:5,soap"] { #expect(throws: OptionError.self) { try configuration(optimizer) } }
    }

    @Test func namesAreUnique() {
        let all = ConfigurationOption.all.flatMap { [$0.name] + ($0.formerName.map { [$0] } ?? []) }
        #expect(Set(all).count == all.count)
    }

    @Test(arguments: names) func theDefaultReadsBack(_ name: String) throws {
        let option = try Self.option(name)
        var configuration = TrainingConfiguration()
        try option.parse(option.text(configuration), &configuration)
        #expect(configuration == TrainingConfiguration())
    }

    @Test(arguments: names) func aValueGoesThroughTOMLAndTheCommandLine(_ name: String) throws {
        let option = try Self.option(name)
        let changed = Self.changed(option)
        #expect(!changed.isEmpty, "no text of the test is a value of --\(name)")
        for (text, configuration) in changed {
            #expect(try TrainingConfiguration(toml: configuration.toml) == configuration)
            // The only option that differs; a resumed run may change it, or is told.
            let change = configuration.change(from: TrainingConfiguration())?.option
            #expect(change == (option.mayChangeOnResume ? nil : name))
            guard name != "backend" || ["cpu", "auto"].contains(text) else { continue }
            let given = try TrainingOptions<NoDefaults>.parse(["--\(name)=\(text)"]).given
            #expect(given == [name: text])
            var parsed = TrainingConfiguration()
            for (name, text) in given { try parsed.set(name, to: text) }
            #expect(parsed == configuration)
        }
    }

    @Test(arguments: ["pinn-train", "pinn-plan"]) func theHelpHasEveryOption(_ command: String) throws {
        let folder = try TemporaryFolder()
        let result = try #require(Tool.built(command)).run(["--help"], in: folder.path)
        let words = result.output.split { $0.isWhitespace }
        for name in Self.names { #expect(words.contains("--\(name)"), "--\(name)") }
    }

    @Test(arguments: names.filter { $0 != "store" }) func whatIsNoValueIsRefusedInOneLine(_ name: String) throws {
        let folder = try TemporaryFolder()
        for command in ["pinn-train", "pinn-plan"] {
            for text in ["?", "", "-1", "nan"] {
                let result = try #require(Tool.built(command)).run(["--\(name)=\(text)"], in: folder.path)
                #expect(result.status == 64, "\(result.messages)")
                // The parser itself asks for a value that is missing.
                let beginning = text.isEmpty ? "error: Missing value for '--\(name) " : "error: --\(name): "
                #expect(result.messages.hasPrefix(beginning), "\(result.messages)")
                #expect(result.messages.split(separator: "\n").count == 1, "\(result.messages)")
            }
        }
        #expect(folder.names.isEmpty)
    }

    /// Whatever a path may hold: quotes, backslashes, newlines, ESC, DEL, and all of Unicode.
    @Test func anyTextGoesThroughTOML() throws {
        var numbers = SeededNumbers(seed: 14)
        var texts = [
            "", "\"", "\\", "\\u0041", "'''", "\"\"\"", "a\nb\r\nc", "\t\u{8}\u{c}", "\u{1b}[31m", "\u{7f}", "é ǆ 𝛼 👩‍🔬",
            "\u{feff}x", "# = [a]", "\u{85}\u{2028}\u{a0}", "e\u{301}",
        ]
        texts += (1...0x9f).compactMap { Unicode.Scalar($0) }.map { "a\($0)b" }
        for _ in 0..<500 {
            var scalars = String.UnicodeScalarView()
            for _ in 0..<numbers.next(below: 20) {
                let limit = [0x80, 0x800, 0x10FFFF][numbers.next(below: 3)]
                if let scalar = Unicode.Scalar(UInt32(1 + numbers.next(below: limit))) { scalars.append(scalar) }
            }
            texts.append(String(scalars))
        }
        for text in texts {
            var configuration = TrainingConfiguration()
            configuration.store = text
            let toml = configuration.toml
            let read = try? TrainingConfiguration(toml: toml)
            #expect(read.map { Array($0.store.utf8) } == Array(text.utf8), "\(toml.prefix(200).debugDescription)")
            #expect(read == configuration)
        }
    }

    /// Exact observations, then the same with noise of 1 %; where no optimizer is chosen.
    @Test func theDefaultOptimizerFollowsTheNoiseOfTheObservations() throws {
        let here = try Workspace()
        let sample = try #require(Tool.built("pinn-sample"))
        func optimizer(_ arguments: [String], _ options: [String] = []) throws -> String {
            let made = try here.run(sample, ["--case", "broad-margin", "--spacing-m", "1500"] + arguments)
            try #require(made.status == 0, "\(made.messages)")
            let store = try here.run(
                here.ingest, ["sample_velocity_measures.nc", "--points", "20000"])
            try #require(store.status == 0, "\(store.messages)")
            let run = try here.run(
                here.train, ["--iterations", "1", "--run", "run\(arguments.count)\(options.count)"] + options)
            #expect(run.status == 0, "\(run.messages)")
            let plan = run.messages.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            return String(try #require(plan.firstMatch(of: /optimizer ([^;]+);/)?.1))
        }
        #expect(try optimizer([]) == "lm:360")
        #expect(try optimizer(["--noise-percent", "1"]) == "lm:40,ssbroyden:8000")
        #expect(try optimizer(["--noise-percent", "1"], ["--stream", "chunk=2000"]) == "lm")
    }

    @Test func physicsWithAPriorIsNotTrainedBySamplesOfRows() throws {
        func optimizer(_ options: [String: String]) throws -> String {
            try TrainingConfiguration(options.merging(["physics": "anisotropic"]) { $1 }, resuming: nil) { _ in 0 }
                .phases.description
        }
        #expect(try optimizer([:]) == "adam:1000,ssbroyden:7000")
        #expect(try optimizer(["stream": "chunk=2000"]) == "adam")
        // Without its prior it is as any other.
        #expect(try optimizer(["prior-weight": "0"]) == "lm:360")
        #expect(try optimizer(["optimizer": "lm:5"]) == "lm:5")
    }

    @Test func aFormerNameWorksWithANote() throws {
        let folder = try TemporaryFolder()
        let plan = try #require(Tool.built("pinn-plan"))
        let note = "note: 'tiles' is now called 'subdomains'"
        func weights(_ arguments: [String]) throws -> (count: Int, messages: String) {
            let result = try plan.run(
                ["--unit-time", "0.1", "--network", "2x16", "--format", "json"] + arguments, in: folder.path)
            let figures = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
            return (try #require(figures?["weights"] as? Int, "\(result.messages)"), result.messages)
        }
        let one = try weights([])
        let six = try weights(["--subdomains", "2x3"])
        #expect(six.count == 6 * one.count && six.messages.isEmpty)
        let former = try weights(["--tiles", "2x3"])
        #expect(former.count == six.count && former.messages.hasPrefix(note), "\(former.messages)")
        try Data("tiles = \"2x3\"\n".utf8).write(to: URL(fileURLWithPath: folder.file("c.toml")))
        let file = try weights(["--config", "c.toml"])
        #expect(file.count == six.count && file.messages.hasPrefix(note), "\(file.messages)")
        // The command line wins over the file, under either name.
        for name in ["--tiles", "--subdomains"] {
            #expect(try weights(["--config", "c.toml", name, "1x1"]).count == one.count)
        }
    }

    @Test func theWholePlanIsShownAndSaysWhetherAFixedBatchIsKept() throws {
        let here = try Workspace()
        try here.addStore()
        let options = ["--stream", "chunk=512,sample=2048", "--network", "2x16", "--iterations", "3"]
        let adam = try here.run(here.train, options + ["--optimizer", "adam", "--run", "adam"])
        #expect(adam.status == 0 && !adam.messages.contains("fixed batch"), "\(adam.messages)")
        let lbfgs = try here.run(here.train, options + ["--optimizer", "lbfgs", "--run", "lbfgs"])
        let plan = lbfgs.messages.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(plan.contains("fixed batch 2048 points kept in memory ("), "\(lbfgs.messages)")
        let text = try String(contentsOfFile: here.folder.file("lbfgs/plan.toml"), encoding: .utf8)
        let configuration = try TrainingConfiguration(toml: text)
        #expect(configuration.phases.description == "lbfgs" && configuration.iterations == 3)
        for option in ConfigurationOption.all where option.name != "store" {
            #expect(plan.contains("\(option.name) \(option.text(configuration))"), "\(option.name)")
        }
    }

    /// What is in the file of a run repeats it: a resumed run keeps where and how it computes.
    @Test func aResumedRunComputesAsItDidBefore() throws {
        let here = try Workspace()
        try here.addStore()
        let options = Workspace.short + ["--backend", "cpu", "--precision", "tf32"]
        #expect(try here.run(here.train, options + ["--iterations", "3"]).status == 0)
        let resumed = try here.run(here.train, ["--resume", "--iterations", "5"])
        #expect(resumed.status == 0 && !resumed.messages.contains("may differ"), "\(resumed.messages)")
        let other = try here.run(here.train, ["--resume", "--iterations", "7", "--precision", "fp32"])
        #expect(other.status == 0 && other.messages.contains("may differ"), "\(other.messages)")
    }
}
