import Foundation
import NetCDFFiles
import TestSupport
import Testing

/// Standard deviations of one trained network, by the commands.
@Suite struct DeviationTests {
    private func trained(_ options: [String] = ["--iterations", "60"]) throws -> Workspace {
        let here = try Workspace()
        try here.addStore()
        let run = try here.run(here.train, Workspace.short + options)
        try #require(run.status == 0, "\(run.messages)")
        return here
    }

    @Test func exportWritesThemWithFlagsAndEigenvalues() throws {
        let here = try trained()
        // Coarse: a build without optimization takes minutes for all cells.
        let result = try here.run(here.export, ["prediction.nc", "--standard-deviations", "--spacing-m", "4000"])
        #expect(result.status == 0, "\(result.messages)")
        #expect(result.output.contains("data and equations determine") && result.output.contains("mu is not known on"))
        let file = try NetCDFFile(reading: here.folder.file("prediction.nc"))
        let mu = try file.requireVariable("mu")
        #expect(mu.attribute("ancillary_variables")?.text == "mu_standard_deviation mu_determined")
        let values = try mu.read(as: Float.self)
        for name in ["u", "v", "mu", "effective_strain_rate", "residual_momentum_x"] {
            let deviations = try file.requireVariable("\(name)_standard_deviation").read(as: Float.self)
            for (value, deviation) in zip(values, deviations) where value < 1e30 {
                #expect(deviation > 0 && deviation.isFinite)
            }
        }
        let flag = try file.requireVariable("mu_determined")
        #expect(flag.attribute("flag_meanings")?.text == "not_determined determined")
        #expect(flag.attribute("comment")?.text?.contains("half of what it would be without data") == true)
        // The run has come to its end, at a loss that hardly changed.
        #expect(!result.messages.contains("may be much too small"))
        let deviations = try file.requireVariable("mu_standard_deviation").read(as: Float.self)
        for (cell, code) in try flag.read(as: Int8.self).enumerated() {
            if values[cell] > 1e30 {
                #expect(code == -1)
            } else {
                #expect(code == 0 || (code == 1 && deviations[cell] <= values[cell] / 2))
            }
        }
        let eigenvalues = try file.requireVariable("information_eigenvalue").read(as: Double.self)
        #expect(eigenvalues.count > 10 && eigenvalues == eigenvalues.sorted(by: >))
    }

    @Test func ofARunWhoseLossWasFallingTheyComeWithAWarning() throws {
        let here = try Workspace()
        try here.addStore()
        let run = try here.run(
            here.train, ["--optimizer", "lm:4", "--stream", "chunk=512", "--network", "2x16", "--threads", "1"])
        try #require(run.status == 0, "\(run.messages)")
        let result = try here.run(
            here.export, ["p.nc", "--standard-deviations", "--spacing-m", "8000", "--fields", "mu"])
        #expect(result.status == 0 && result.messages.contains("warning: the loss fell to less than half"))
    }

    @Test func ofARunThatWasStoppedTheyComeWithAWarning() throws {
        let here = try Workspace()
        try here.addStore()
        let stopped = try here.run(here.train, Workspace.short + ["--iterations", "1000000"]) { running in
            running.wait { _ in here.checkpoints.count > 1 }
            running.send(SIGTERM)
        }
        try #require(stopped.status == 75, "\(stopped.messages)")
        let result = try here.run(
            here.export, ["p.nc", "--standard-deviations", "--spacing-m", "8000", "--fields", "mu"])
        #expect(result.status == 0 && result.messages.contains("warning: the run was stopped at iteration"))
    }

    @Test func pointsHaveThemToo() throws {
        let here = try trained()
        #expect(
            try here.run(here.export, ["grid.nc", "--standard-deviations", "--fields", "mu", "--grid", "velocity"])
                .status == 0)
        let file = try NetCDFFile(reading: here.folder.file("grid.nc"))
        let (x, y) = (
            try file.requireVariable("x").read(as: Double.self), try file.requireVariable("y").read(as: Double.self)
        )
        let mu = try file.requireVariable("mu").read(as: Float.self)
        let deviations = try file.requireVariable("mu_standard_deviation").read(as: Float.self)
        let cell = try #require(mu.indices.dropFirst(mu.count / 2).first { mu[$0] < 1e30 })
        try "x,y\n\(x[cell % x.count]),\(y[cell / x.count])\n".write(
            toFile: here.folder.file("points.csv"), atomically: true, encoding: .utf8)
        let result = try here.run(
            here.export, ["line.csv", "--points", "points.csv", "--standard-deviations", "--fields", "mu"])
        #expect(result.status == 0, "\(result.messages)")
        let lines = try String(contentsOfFile: here.folder.file("line.csv"), encoding: .utf8).split(separator: "\n")
        #expect(lines[0] == "x,y,mu,mu_standard_deviation,mu_determined")
        let words = lines[1].split(separator: ",")
        let deviation = try #require(Float(words[3]))
        #expect(abs(deviation / deviations[cell] - 1) < 1e-3 && ["0", "1"].contains(words[4]))
    }

    @Test func evalPrintsTheirCoverage() throws {
        let here = try trained()
        let eval = try #require(Tool.built("pinn-eval"))
        let truth = Places.sample("sample_truth.nc")
        let without = try here.run(eval, [truth])
        #expect(without.status == 0 && !without.output.contains("within"))
        let result = try here.run(eval, [truth, "--standard-deviations"])
        #expect(result.status == 0 && result.output.contains("within 2 σ"), "\(result.messages)")
    }

    @Test func whatHasNoneIsRefusedInOneLine() throws {
        let here = try trained(["--iterations", "3"])
        func refuse(_ options: [String], _ status: Int32 = 64, saying words: String) throws {
            let result = try here.run(here.export, ["out.nc"] + options)
            #expect(result.status == status && result.messages.contains(words), "\(result.messages)")
            #expect(!here.exists("out.nc"))
        }
        try refuse(["--noise-correlation", "500"], saying: "--standard-deviations")
        try refuse(["--standard-deviations", "--noise-correlation", "far"], saying: "auto, or a length in metres")
        let large = Workspace.short.map { $0 == "2x16" ? "8x48" : $0 }
        #expect(try here.run(here.train, large + ["--iterations", "1", "--run", "large"]).status == 0)
        try refuse(["--standard-deviations", "--run", "large"], saying: "at most 12000 are possible")
        #expect(
            try here.run(here.train, Workspace.short + ["--iterations", "1", "--ensemble", "2", "--run", "two"]).status
                == 0)
        try refuse(["--standard-deviations", "--run", "two"], saying: "the run is an ensemble")
    }

    /// The default's networks need 0.4 GB for JᵀJ alone.
    @Test func tooSmallALimitOnMemoryIsRefusedBeforeTheWork() throws {
        let here = try Workspace()
        try here.addStore()
        let wide = ["--stream", "chunk=512", "--network", "4x32+4x32", "--iterations", "1", "--run", "wide"]
        try #require(here.run(here.train, wide).status == 0)
        let bash = try #require(Tool.installed("bash"))
        let export = "\(here.export.path) out.nc --run wide --threads 1"
        let limited = { (kilobytes: Int, options: String) in
            try here.run(bash, ["-c", "ulimit -d \(kilobytes); exec \(export) \(options)"])
        }
        #expect(try limited(500_000, "").status == 0)
        try FileManager.default.removeItem(atPath: here.folder.file("out.nc"))
        let refused = try limited(500_000, "--standard-deviations")
        #expect(refused.status == 64 && refused.messages.contains("--standard-deviations"), "\(refused.messages)")
        #expect(!here.exists("out.nc"))
    }

    /// Small networks and one draw of noise: the share of covered cells follows from a few tens of independent patches.
    @Test(.enabled(if: Places.runsLongTests, "set PINN_LONG_TESTS=1 to run"))
    func theyCoverTheErrorsOfAShelfWithNoise() throws {
        let here = try Workspace()
        let sample = try #require(Tool.built("pinn-sample"))
        #expect(try here.run(sample, ["--noise-percent", "2", "--spacing-m", "500"]).status == 0)
        #expect(
            try here.run(
                here.ingest, ["sample_velocity_measures.nc", "--thickness", "sample_bedmachine_v2.nc"]
            ).status == 0)
        let options = ["--network", "3x20+3x20", "--optimizer", "lm:20,ssbroyden:1500", "--iterations", "1000"]
        #expect(try here.run(here.train, options).status == 0)
        let eval = try #require(Tool.built("pinn-eval"))
        let result = try here.run(eval, ["sample_truth.nc", "--standard-deviations", "--format", "json"])
        let report = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        let mu = try #require((report["fields"] as? [[String: Any]])?.first)
        let one = try #require(mu["within_one_standard_deviation"] as? Double)
        let two = try #require(mu["within_two_standard_deviations"] as? Double)
        #expect((0.48...0.92).contains(one) && two > 0.8, "\(one), \(two)")
    }
}
