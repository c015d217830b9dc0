import Foundation
import TestSupport
import Testing

/// A user's mistakes at the command line: one clear line, the right exit status, nothing left behind.
@Suite struct MistakeTests {
    struct Mistake: Sendable, CustomTestStringConvertible {
        let tool: String
        let arguments: [String]
        let status: Int32
        /// What the message must name.
        let naming: String
        var testDescription: String { "\(tool) \(arguments.joined(separator: " "))" }
    }

    static let mistakes: [Mistake] = [
        Mistake(tool: "pinn-ingest", arguments: [], status: 64, naming: "Missing expected argument"),
        Mistake(tool: "pinn-ingest", arguments: ["absent.nc"], status: 66, naming: "absent.nc"),
        Mistake(tool: "pinn-ingest", arguments: ["text.nc"], status: 65, naming: "text.nc"),
        Mistake(tool: "pinn-ingest", arguments: ["text.nc", "--ice", "wet"], status: 64, naming: "ice"),
        Mistake(tool: "pinn-ingest", arguments: ["cut.nc"], status: 65, naming: "cut.nc"),
        Mistake(tool: "pinn-ingest", arguments: ["."], status: 65, naming: ".: a folder"),
        Mistake(tool: "pinn-ingest", arguments: [""], status: 66, naming: "an empty path"),
        Mistake(tool: "pinn-ingest", arguments: ["/dev/stdin"], status: 65, naming: "expected a regular file"),
        Mistake(tool: "pinn-ingest", arguments: ["https://nsidc.org/v.nc"], status: 66, naming: "download it first"),
        Mistake(tool: "pinn-ingest", arguments: ["s3://its-live/v.nc"], status: 66, naming: "download it first"),
        Mistake(tool: "pinn-ingest", arguments: ["level4.mat"], status: 65, naming: "MATLAB file of version 4"),
        Mistake(tool: "pinn-ingest", arguments: ["text.nc", "--config", "."], status: 66, naming: "it is a folder"),
        Mistake(
            tool: "pinn-ingest", arguments: ["sample_velocity_measures.nc", "--region", "1,2,3"], status: 64,
            naming: "it has 3 parts"),
        Mistake(
            tool: "pinn-ingest", arguments: ["sample_velocity_measures.nc", "--region", "1,2,4,3"], status: 64,
            naming: "ymin 4 is not below ymax 3"),
        Mistake(
            tool: "pinn-ingest", arguments: ["sample_velocity_measures.nc", "--region", "1,two,3,4"], status: 64,
            naming: "'two' is not a number"),
        Mistake(
            tool: "pinn-ingest", arguments: ["sample_velocity_measures.nc", "--region", "0,1,0,1"], status: 65,
            naming: "region"),
        Mistake(
            tool: "pinn-ingest", arguments: ["sample_velocity_measures.nc", "--points", "none"], status: 64,
            naming: "points"),
        Mistake(
            tool: "pinn-ingest", arguments: ["sample_velocity_measures.nc", "--thickness", "absent.nc"], status: 66,
            naming: "absent.nc"),
        Mistake(
            tool: "pinn-ingest",
            arguments: ["sample_velocity_measures.nc", "--thickness", "sample_velocity_measures.nc"], status: 65,
            naming: "thickness"),
        Mistake(
            tool: "pinn-ingest", arguments: ["sample_velocity_measures.nc", "-o", "no/such/folder/store.nc"],
            status: 74, naming: "no/such/folder"),
        Mistake(
            tool: "pinn-ingest", arguments: ["sample_velocity_measures.nc", "--schema", "absent.toml"], status: 66,
            naming: "absent.toml"),
        Mistake(
            tool: "pinn-ingest", arguments: ["sample_velocity_measures.nc", "--schema", "unknown.toml"], status: 65,
            naming: "unknown.toml"),
        Mistake(tool: "pinn-train", arguments: [], status: 66, naming: "pinn-store.nc"),
        Mistake(tool: "pinn-train", arguments: ["text.nc"], status: 65, naming: "text.nc"),
        Mistake(tool: "pinn-train", arguments: ["sample_velocity_measures.nc"], status: 65, naming: "pinn-ingest"),
        Mistake(tool: "pinn-train", arguments: ["--stream", "chunk=0"], status: 64, naming: "stream"),
        Mistake(tool: "pinn-train", arguments: ["--stream", "chunk=1.5"], status: 64, naming: "stream"),
        Mistake(tool: "pinn-train", arguments: ["--stream", "chunks=5"], status: 64, naming: "stream"),
        Mistake(tool: "pinn-train", arguments: ["--network", "8"], status: 64, naming: "network"),
        Mistake(tool: "pinn-train", arguments: ["--tiles", "4"], status: 64, naming: "2x2"),
        Mistake(tool: "pinn-train", arguments: ["--tiles", "0x3"], status: 64, naming: "tiles"),
        Mistake(tool: "pinn-train", arguments: ["--fourier", "-4"], status: 64, naming: "fourier"),
        Mistake(
            tool: "pinn-train", arguments: ["--network", "8x128", "--fourier", "none+4"], status: 64,
            naming: "for each network"),
        Mistake(tool: "pinn-train", arguments: ["--optimizer", "adom"], status: 64, naming: "adam"),
        Mistake(tool: "pinn-train", arguments: ["--schedule", "cosin"], status: 64, naming: "cosine"),
        Mistake(
            tool: "pinn-train", arguments: ["--optimizer", "adam", "--schedule", "cosine"], status: 64,
            naming: "adam:4000"),
        Mistake(
            tool: "pinn-train", arguments: ["--schedule", "constant", "--half-life", "50"], status: 64,
            naming: "half-life"),
        Mistake(tool: "pinn-train", arguments: ["--balance", "ntk"], status: 64, naming: "gradient"),
        Mistake(tool: "pinn-train", arguments: ["--sampling", "rad:q=1"], status: 64, naming: "candidates=POINTS"),
        Mistake(tool: "pinn-plan", arguments: ["--sampling", "rat"], status: 64, naming: "r3"),
        Mistake(tool: "pinn-train", arguments: ["--backend", "cpus", "store.nc"], status: 64, naming: "cpu"),
        Mistake(tool: "pinn-train", arguments: ["--itterations", "5"], status: 64, naming: "iterations"),
        Mistake(tool: "pinn-train", arguments: ["--gravity", "-1"], status: 64, naming: "gravity"),
        Mistake(tool: "pinn-train", arguments: ["--resume"], status: 66, naming: "pinn-run"),
        Mistake(tool: "pinn-train", arguments: ["--config", "absent.toml"], status: 66, naming: "absent.toml"),
        Mistake(tool: "pinn-train", arguments: ["--config", "text.nc"], status: 65, naming: "text.nc"),
        Mistake(tool: "pinn-train", arguments: ["--config", "unknown.toml"], status: 64, naming: "iteration"),
        Mistake(tool: "pinn-plan", arguments: ["--instances", "32x5"], status: 64, naming: "32:0.0014"),
        Mistake(tool: "pinn-plan", arguments: ["--points", "none"], status: 64, naming: "points"),
        Mistake(tool: "pinn-plan", arguments: ["--network", "8"], status: 64, naming: "network"),
        Mistake(tool: "pinn-plan", arguments: ["--hours-per-day", "25"], status: 64, naming: "hours-per-day"),
        Mistake(tool: "pinn-plan", arguments: ["--format", "xml"], status: 64, naming: "markdown"),
        Mistake(tool: "pinn-eval", arguments: [], status: 64, naming: "truth"),
        Mistake(tool: "pinn-eval", arguments: ["text.nc"], status: 66, naming: "pinn-run"),
        Mistake(tool: "pinn-eval", arguments: ["text.nc", "--format", "xml"], status: 64, naming: "markdown"),
        Mistake(tool: "pinn-report", arguments: [], status: 66, naming: "pinn-run"),
        Mistake(tool: "pinn-report", arguments: ["text.nc"], status: 64, naming: "not a report"),
        Mistake(tool: "pinn-report", arguments: ["--png", "text.nc"], status: 74, naming: "cannot make the folder"),
        Mistake(tool: "pinn-export", arguments: ["out.nc"], status: 66, naming: "pinn-run"),
        Mistake(tool: "pinn-export", arguments: ["--threads", "0"], status: 64, naming: "threads"),
    ]

    @Test(arguments: mistakes) func isToldInOneLineAndLeavesNothing(_ mistake: Mistake) throws {
        let here = try Workspace()
        try here.addSample()
        try Data("not a NetCDF file, and not TOML either [".utf8).write(
            to: URL(fileURLWithPath: here.folder.file("text.nc")))
        try Data("itterations = 5\n".utf8).write(to: URL(fileURLWithPath: here.folder.file("unknown.toml")))
        // A matrix of one number, "a", as the manual of the format has it.
        let level4: [UInt8] =
            [0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0] + Array("a\0".utf8)
            + [UInt8](repeating: 0, count: 8)
        try Data(level4).write(to: URL(fileURLWithPath: here.folder.file("level4.mat")))
        let whole = try here.bytes("sample_velocity_measures.nc")
        try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: here.folder.file("cut.nc")))
        let tool = try #require(Tool.built(mistake.tool))
        if mistake.arguments.contains("store.nc") {
            #expect(
                try here.run(here.ingest, ["sample_velocity_measures.nc", "-o", "store.nc", "--points", "1000"]).status
                    == 0)
        }
        let before = here.folder.names
        let result = try here.run(tool, mistake.arguments)
        #expect(!result.died)
        #expect(result.status == mistake.status, "\(result.messages)")
        #expect(result.messages.contains(mistake.naming), "\(result.messages)")
        // One line that says what is wrong. (Notes may go before it.)
        let lines = Array(result.messages.split(separator: "\n").drop { !$0.hasPrefix("error: ") })
        #expect(lines.count == 1, "\(lines)")
        #expect(here.folder.names == before)
    }

    @Test(arguments: [
        "pinn-ingest", "pinn-train", "pinn-export", "pinn-sample", "pinn-bench", "pinn-plan", "pinn-eval",
        "pinn-report",
    ])
    func helpGoesToStdoutAndIsNoMistake(_ name: String) throws {
        let folder = try TemporaryFolder()
        let result = try #require(Tool.built(name)).run(["--help"], in: folder.path)
        #expect(result.status == 0)
        #expect(result.output.contains("USAGE: \(name)"))
    }

    @Test func theListOfProductsFitsATerminal() throws {
        let here = try Workspace()
        let result = try here.run(here.ingest, ["--list-products"])
        #expect(result.status == 0 && result.output.contains("NSIDC-0754"))
        #expect(result.output.split(separator: "\n").allSatisfy { $0.count <= 100 })
    }

    @Test func controlCharactersOfAFileAreNotPrinted() throws {
        let here = try Workspace()
        try here.addSample()
        try Data(#"{"type": "\u001b[31mRed"}"#.utf8).write(to: URL(fileURLWithPath: here.folder.file("a.json")))
        let result = try here.run(here.ingest, ["sample_velocity_measures.nc", "--polygon", "a.json"])
        #expect(result.status == 65 && result.messages.contains("Red") && !result.messages.contains("\u{1b}"))
    }

    @Test func aPolygonThatIsAFolderIsCalledSo() throws {
        let here = try Workspace()
        try here.addSample()
        for name in ["area.geojson", "area.shp"] {
            try FileManager.default.createDirectory(
                atPath: here.folder.file(name), withIntermediateDirectories: false)
            let result = try here.run(here.ingest, ["sample_velocity_measures.nc", "--polygon", name])
            #expect(result.status == 66 && result.messages.contains("\(name): cannot read the polygon: it is a folder"))
        }
    }

    @Test func aVelocityFileAloneIsToldWhatToGet() throws {
        let here = try Workspace()
        try FileManager.default.copyItem(
            atPath: Places.sample("sample_velocity_measures.nc"),
            toPath: here.folder.file("sample_velocity_measures.nc"))
        let result = try here.run(here.ingest, ["sample_velocity_measures.nc"])
        #expect(result.status == 66)
        #expect(result.messages.contains("--thickness") && result.messages.contains("BedMachine"))
        #expect(here.folder.names == ["sample_velocity_measures.nc"])
    }
}
