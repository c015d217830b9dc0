import Foundation
import NetCDFFiles
import TestSupport
import Testing

/// An ingest plans its memory from the headers and the mask: it says what it needs, and refuses what does not fit. A product of a
/// megabyte took 2.4 GB, and was called damaged, or the command killed, where there was less.
@Suite struct IngestMemoryTests {
    private let here: Workspace

    /// A million cells of floating ice in a small file.
    init() throws {
        here = try Workspace()
        let count = 1000
        try NetCDFFile.create(here.folder.file("large.nc")) { file in
            let dimensions = try ["y", "x"].map { try file.define(dimension: $0, length: count) }
            let axes = try dimensions.map { dimension in
                try file.define(variable: dimension.name, .double, over: [dimension], ["units": .text("m")])
            }
            let chunks = NetCDFFile.Storage.deflated(chunks: [250, 250])
            let fields = try [("vx", "m yr-1"), ("vy", "m yr-1"), ("thickness", "m")].map { name, unit in
                try file.define(
                    variable: name, .float, over: dimensions, storage: chunks, ["units": .text(unit)])
            }
            let mask = try file.define(
                variable: "mask", .int8, over: dimensions, storage: chunks,
                ["flag_values": .numbers([0, 3]), "flag_meanings": .text("ocean floating_ice")])
            try file.endDefinitions()
            try axes[0].write((0..<count).map { -500 * Double($0) })
            try axes[1].write((0..<count).map { 500 * Double($0) })
            for (number, field) in fields.enumerated() {
                try field.write((0..<count * count).map { Float(200 + ($0 % count) / 10 * (number + 1)) })
            }
            try mask.write((0..<count * count).map { Int8($0 % count < 900 ? 3 : 0) })
        }
    }

    private func ingest(_ arguments: [String]) -> [String] {
        ["large.nc", "--points", "1000", "-o", "store.nc"] + arguments
    }

    @Test(.enabled(if: Tool.installed("time") != nil, "GNU time is not installed"))
    func whatIsPlannedIsEnoughAndNotMuchMore() throws {
        let preview = try here.run(here.ingest, ingest(["--dry-run"]))
        let line = try #require(preview.output.split(separator: "\n").first { $0.hasPrefix("memory") })
        let planned = try #require(Double(line.split(separator: " ")[3]))
        #expect(line.contains("up to") && line.contains(" MB"))
        let result = try here.run(
            try #require(Tool.installed("time")), ["-f", "peak %M", here.ingest.path] + ingest([]))
        try #require(result.status == 0, "\(result.messages)")
        let peak = try #require(result.messages.split(separator: "\n").last.flatMap { Double($0.dropFirst(5)) }) / 1000
        // The processes that read come on top of the command's own.
        #expect(peak < planned && planned < 1.5 * peak + 120, "\(peak) of \(planned) MB")
    }

    @Test(arguments: ["-v", "-d"]) func whatDoesNotFitIsRefusedAndTheProductIsNotBlamed(_ option: String) throws {
        var statuses: Set<Int32> = []
        for kilobytes in stride(from: option == "-d" ? 80_000 : 250_000, through: 600_000, by: 40_000) {
            try? FileManager.default.removeItem(atPath: here.folder.file("store.nc"))
            let result = try Tool(path: "/bin/sh").run(
                ["-c", "ulimit \(option) \(kilobytes); exec \"$0\" \"$@\"", here.ingest.path] + ingest([]),
                in: here.folder.path)
            statuses.insert(result.status)
            let what = "\(option) \(kilobytes): \(result.status) \(result.messages)"
            #expect(!result.died && [0, 64, 71, 127].contains(result.status), "\(what)")
            #expect(here.exists("store.nc") == (result.status == 0), "\(what)")
            if result.status == 64 {
                #expect(result.messages.hasPrefix("error: needs up to ") && result.messages.contains("--region"))
                #expect(result.messages.split(separator: "\n").count == 1, "\(what)")
            }
        }
        #expect(statuses.isSuperset(of: [0, 64]), "\(statuses)")
    }

    @Test func whatDoesNotFitOfAWholeProductFitsOfARegion() throws {
        let limit = ["-c", "ulimit -d 120000; exec \"$0\" \"$@\"", here.ingest.path]
        let whole = try Tool(path: "/bin/sh").run(limit + ingest([]), in: here.folder.path)
        let part = try Tool(path: "/bin/sh").run(
            limit + ingest(["--region", "0,50000,-50000,0"]), in: here.folder.path)
        #expect(whole.status == 64 && part.status == 0, "\(whole.messages) \(part.messages)")
    }
}
