import Foundation
import TestSupport
import Testing

/// What other people's tools say of our files; each is skipped where the tool is not installed.
@Suite struct InteroperabilityTests {
    static let checker = "\(Places.repository)/.venv/bin/compliance-checker"
    static let python = "\(Places.repository)/.venv/bin/python"
    static let hasTensorBoard = FileManager.default.isExecutableFile(
        atPath: "\(Places.repository)/.venv/bin/tensorboard")
    static let hasPython = FileManager.default.isExecutableFile(atPath: checker)

    private func predicted(_ options: [String] = []) throws -> Workspace {
        let here = try Workspace()
        try here.addStore()
        try #require(here.run(here.train, Workspace.short + ["--iterations", "20"] + options).status == 0)
        try #require(here.run(here.export, []).status == 0)
        return here
    }

    @Test(
        .enabled(if: hasPython, "Scripts/test installs the checker"), arguments: [[], ["--ensemble", "2"]]
    ) func theCFCheckerFindsNoErrorInAPrediction(_ options: [String]) throws {
        let here = try predicted(options)
        let result = try Tool(path: Self.checker).run(
            ["--test=cf:1.8", "--criteria=strict", "prediction.nc"], in: here.folder.path)
        #expect(result.status == 0, "\(result.output)")
        #expect(result.output.contains("All tests passed!"), "\(result.output)")
    }

    @Test(.enabled(if: Tool.installed("gdalinfo") != nil, "gdal-bin is not installed")) func gdalPlacesAPrediction()
        throws
    {
        let here = try predicted()
        let gdalinfo = try #require(Tool.installed("gdalinfo"))
        for variable in ["mu", "/thickness/h"] {
            let result = try gdalinfo.run(["NETCDF:prediction.nc:\(variable)"], in: here.folder.path)
            let spacing = variable == "mu" ? 450.0 : 500.0
            #expect(result.output.contains("ID[\"EPSG\",3031]"), "\(result.output)")
            #expect(result.output.contains("Pixel Size = (\(spacing)"), "\(result.output)")
        }
    }

    @Test(.enabled(if: hasPython, "Scripts/test installs xarray"))
    func xarrayShowsAStoreInMetresAndAPredictionInItsPlace() throws {
        let here = try predicted()
        let script = """
            import xarray as xr, numpy as np
            s = xr.open_dataset("pinn-store.nc"); p = xr.open_dataset("prediction.nc"); v = xr.open_dataset("sample_velocity_measures.nc")
            o = v.VX.values[np.isfinite(v.VX.values)]
            o = np.sort(o); u = s.velocity_u.values; n = np.clip(np.searchsorted(o, u), 1, o.size - 1)
            assert np.minimum(abs(u - o[n - 1]), abs(u - o[n])).max() < 1e-3, "velocities of the store"
            assert s.velocity_x.attrs["units"] == "m" and s.collocation_x.min() > v.x.min() and s.collocation_x.max() < v.x.max()
            both = p.u - p.misfit_u - v.VX
            assert int(both.notnull().sum()) == s.velocity_u.size and float(abs(both).max()) < 1e-2, "misfit on the product's cells"
            h = xr.open_dataset("prediction.nc", group="thickness"); b = xr.open_dataset("sample_bedmachine_v2.nc")
            both = h.h - h.misfit_h - b.thickness
            assert int(both.notnull().sum()) == s.thickness_h.size and float(abs(both).max()) < 1e-2, "misfit of the thickness"
            """
        let result = try Tool(path: Self.python).run(["-c", script], in: here.folder.path)
        #expect(result.status == 0, "\(result.messages)")
    }

    @Test(.enabled(if: hasTensorBoard, "Scripts/test installs TensorBoard"))
    func tensorBoardReadsARunThatWasResumed() throws {
        let here = try Workspace()
        try here.addStore()
        for more in [["--iterations", "20"], ["--iterations", "30", "--resume"]] {
            try #require(here.run(here.train, Workspace.short + ["--tensorboard", "board"] + more).status == 0)
        }
        let script = """
            from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
            import xarray as xr, numpy as np
            events = EventAccumulator("board"); events.Reload()
            tags = events.Tags()["scalars"]
            assert {"loss/total", "loss/equation", "misfit/thickness [m]", "learning rate"} <= set(tags), tags
            total = events.Scalars("loss/total")
            assert [e.step for e in total] == list(range(31)), "steps, the restart's once"
            history = xr.open_dataset("pinn-run/history.nc")
            assert np.allclose([e.value for e in total[:30]], history.loss, rtol=1e-6)
            """
        let result = try Tool(path: Self.python).run(["-c", script], in: here.folder.path)
        #expect(result.status == 0, "\(result.messages)")
    }

    /// load_network.py compares its own evaluation of the checkpoint with the prediction.
    @Test(.enabled(if: hasPython, "Scripts/test installs xarray and matplotlib"), arguments: ["2x16", "2x16+3x8"])
    func theExamplesForPythonRun(network: String) throws {
        let here = try predicted(["--network", network])
        for (example, arguments) in [
            ("load_network.py", []), ("open_files.py", ["pinn-store.nc", "prediction.nc", "a.png"]),
        ] {
            let result = try Tool(path: Self.python).run(
                ["\(Places.repository)/examples/\(example)"] + arguments, in: here.folder.path)
            #expect(result.status == 0, "\(example): \(result.messages)")
        }
        let picture = try Data(contentsOf: URL(fileURLWithPath: here.folder.file("a.png")))
        #expect(picture.prefix(4) == Data([0x89, 0x50, 0x4e, 0x47]) && picture.count > 20_000)
    }

    @Test(.enabled(if: Tool.installed("ncdump") != nil, "netcdf-bin is not installed"))
    func ncdumpReadsEveryFileOfARun() throws {
        let here = try predicted()
        let ncdump = try #require(Tool.installed("ncdump"))
        for name in ["pinn-store.nc", "prediction.nc", "pinn-run/history.nc", "pinn-run/checkpoint-0000000020.nc"] {
            #expect(try ncdump.run([name], in: here.folder.path).status == 0, "\(name)")
        }
    }
}
