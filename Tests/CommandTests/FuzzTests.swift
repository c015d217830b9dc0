import Fields
import Foundation
import TestSupport
import Testing

/// Files with changed bytes, by the thousand: each is read or refused in a line, never a crash, a hang, a partial output or
/// more memory than a limit (`Damage`).
@Suite struct FuzzTests {
    private static let seeds = Damage.seeds(fast: 25, long: 150)

    private func check(_ here: Workspace, _ tool: Tool, _ arguments: [String], _ name: String, refusals: Set<Int32>)
        throws
    {
        let whole = try here.bytes(name)
        let files = Set(here.folder.names)
        // A call of the library may compute for 6 s; the rest is for a machine that has more to do. What is still there then ends
        // with status 124.
        // The limit is on address space: libraries and threads map half of a gigabyte that they never touch.
        let command = ([tool.path] + arguments).map(shellWord).joined(separator: " ")
        let shell = Tool(path: "/bin/sh")
        for seed in Self.seeds {
            try Damage.damaged(whole, seed: seed).write(to: URL(fileURLWithPath: here.folder.file(name)))
            let result = try shell.run(
                ["-c", "ulimit -v 2500000; exec timeout -k 1 100 \(command)"], in: here.folder.path)
            #expect(
                !result.died && (result.status == 0 || refusals.contains(result.status)),
                "\(name) with seed \(seed): status \(result.status), \(result.messages.suffix(300))")
            #expect(result.status == 0 || result.messages.contains("error: "), "\(name) with seed \(seed)")
            #expect(here.partialFiles.isEmpty, "\(name) with seed \(seed)")
            for new in Set(here.folder.names).subtracting(files) {
                try FileManager.default.removeItem(atPath: here.folder.file(new))
            }
        }
        try whole.write(to: URL(fileURLWithPath: here.folder.file(name)))
    }

    @Test(arguments: ["sample_velocity_measures.nc", "sample_bedmachine_v2.nc"])
    func damagedProductsAreReadOrRefused(name: String) throws {
        let here = try Workspace()
        try here.addSample()
        try check(
            here, here.ingest,
            ["sample_velocity_measures.nc", "--thickness", "sample_bedmachine_v2.nc", "--points", "1000"], name,
            refusals: [65])
    }

    @Test func damagedStoresAndCheckpointsAreRefused() throws {
        let here = try Workspace()
        try here.addStore()
        try #require(here.run(here.train, Workspace.short + ["--iterations", "5"]).status == 0)
        let checkpoint = "pinn-run/" + (try #require(here.checkpoints.last))
        for other in here.checkpoints.dropLast() {
            try FileManager.default.removeItem(atPath: here.folder.file("pinn-run/\(other)"))
        }
        try check(here, here.export, ["prediction.nc"], checkpoint, refusals: [65])
        try check(here, here.export, ["prediction.nc"], "pinn-store.nc", refusals: [65])
    }

    @Test(arguments: ["area.geojson", "area.shp", "area.shx", "area.exp"])
    func damagedPolygonsAreReadOrRefused(name: String) throws {
        let here = try Workspace()
        try here.addSample()
        let parts = [[Self.square(0, 50_000), Self.square(20_000, 30_000)], [Self.square(60_000, 75_000)]]
        let base = here.folder.file("area")
        try OutlineFiles.geoJSON(parts, system: Self.system).write(
            toFile: base + ".geojson", atomically: true, encoding: .utf8)
        try OutlineFiles.exp(parts.flatMap { $0 }).write(toFile: base + ".exp", atomically: true, encoding: .utf8)
        try OutlineFiles.writeShapefile(parts, to: base)
        let polygon = name == "area.shx" ? "area.shp" : name
        let arguments = ["sample_velocity_measures.nc", "--points", "1000", "--polygon", polygon]
        try #require(here.run(here.ingest, arguments).status == 0)
        // A damaged polygon may lie anywhere, on no ice too.
        try check(here, here.ingest, arguments, name, refusals: [65])
    }

    private static let system = #""crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3031"}},"#

    private static func square(_ low: Double, _ high: Double) -> OutlineFiles.Ring {
        [(low, low), (high, low), (high, high), (low, high)].map { (x: 330_000 + $0.0, y: 2_060_000 + $0.1) }
    }

    /// Coverage-guided, with sanitizers: a build of its own, which takes minutes the first time.
    @Test(
        .enabled(if: Places.runsLongTests, "set PINN_LONG_TESTS=1 to run"),
        .enabled(if: Tool.installed("swift") != nil, "no swift on the PATH"))
    func ourParsersStandAMinuteOfFuzzing() throws {
        let result = try Tool(path: "\(Places.repository)/Scripts/fuzz").run(
            ["all", "7"], in: Places.repository, within: 1200)
        #expect(result.status == 0, "\(result.messages.suffix(4000))")
    }

    @Test func damagedConfigurationsAreReadOrRefused() throws {
        let here = try Workspace()
        try here.addStore()
        let text = """
            # A plan
            [train]
            network = "2x8"
            optimizer = "adam:2,lbfgs:1"
            stream = "chunk=64,data=64"
            iterations = 3
            learning-rate = 1e-3
            threads = 1
            """
        try text.write(
            toFile: here.folder.file("plan.toml"), atomically: true, encoding: .utf8)
        // 3: a changed learning rate may let a run diverge.
        try check(
            here, here.train, ["--config", "plan.toml", "--run", "other", "--iterations", "3"], "plan.toml",
            refusals: [3, 64, 65])
    }
}
