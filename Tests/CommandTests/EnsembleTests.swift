import Foundation
import NetCDFFiles
import TestSupport
import Testing

@Suite struct EnsembleTests {
    private func values(_ file: NetCDFFile, _ name: String) throws -> [Float] {
        try file.requireVariable(name).read(as: Float.self)
    }

    private func weights(_ here: Workspace, _ run: String, iteration: Int) throws -> [UInt32] {
        let number = String(iteration)
        let name = "checkpoint-\(String(repeating: "0", count: 10 - number.count))\(number).nc"
        return try values(try NetCDFFile(reading: here.folder.file("\(run)/\(name)")), "parameters").map(\.bitPattern)
    }

    @Test func membersAreRunsOfNeighbouringSeedsAndExportGivesTheirMeanAndSpread() throws {
        let here = try Workspace()
        try here.addStore()
        let options = Workspace.short + ["--iterations", "30", "--seed", "4"]
        let trained = try here.run(here.train, options + ["--ensemble", "3"])
        #expect(trained.status == 0 && trained.output.contains("3 members"), "\(trained.messages)")
        #expect(
            try here.run(
                here.train,
                Workspace.short + ["--iterations", "30", "--seed", "6", "--resampling", "bootstrap", "--run", "alone"]
            ).status == 0)
        #expect(try weights(here, "pinn-run/member-3", iteration: 30) == weights(here, "alone", iteration: 30))

        #expect(try here.run(here.export, ["prediction.nc"]).status == 0)
        for number in 1...3 {
            #expect(try here.run(here.export, ["\(number).nc", "--run", "pinn-run/member-\(number)"]).status == 0)
        }
        let ensemble = try NetCDFFile(reading: here.folder.file("prediction.nc"))
        let members = try (1...3).map { try NetCDFFile(reading: here.folder.file("\($0).nc")) }
        for name in ["u", "h", "mu", "residual_momentum_x"] {
            let means = try values(ensemble, name)
            let deviations = try values(ensemble, "\(name)_standard_deviation")
            let each = try members.map { try values($0, name) }
            var compared = 0
            for cell in stride(from: 0, to: means.count, by: 17) where means[cell] < 1e30 {
                let here = each.map { Double($0[cell]) }
                let mean = here.reduce(0, +) / 3
                let squares = here.map { ($0 - mean) * ($0 - mean) }
                let deviation = (squares.reduce(0, +) / 2).squareRoot()
                // Means and deviations are rounded to single precision.
                let rounding = 1e-6 * (abs(mean) + deviation)
                #expect(abs(Double(means[cell]) - mean) <= rounding)
                #expect(abs(Double(deviations[cell]) - deviation) <= rounding)
                compared += 1
            }
            #expect(compared > 500)
        }
        #expect(try ensemble.requireVariable("mu").attribute("ancillary_variables")?.text == "mu_standard_deviation")
        #expect(members[0].variable("mu_standard_deviation") == nil)

        let eval = try #require(Tool.built("pinn-eval"))
        let report = try here.run(eval, [Places.sample("sample_truth.nc"), "--format", "json"])
        let figures = try #require(try JSONSerialization.jsonObject(with: Data(report.output.utf8)) as? [String: Any])
        let mu = try #require((figures["fields"] as? [[String: Any]])?.first)
        let truth: [Double] = try NetCDFFile(reading: Places.sample("sample_truth.nc")).requireVariable("viscosity")
            .read()
        let means = try values(ensemble, "mu").map(Double.init)
        let deviations = try values(ensemble, "mu_standard_deviation").map(Double.init)
        let cells = means.indices.filter { means[$0] < 1e30 && truth[$0].isFinite }
        let covered = cells.filter { abs(means[$0] - truth[$0]) <= 2 * deviations[$0] }
        #expect(figures["members"] as? Int == 3)
        let share = try #require(mu["within_two_standard_deviations"] as? Double)
        #expect(abs(share - Double(covered.count) / Double(cells.count)) < 1e-9)
    }

    @Test func anEnsembleThatIsStoppedInAMemberGoesOnThereWithTheSameBits() throws {
        let here = try Workspace()
        try here.addStore()
        let options = Workspace.short + ["--ensemble", "2", "--iterations", "3000"]
        #expect(try here.run(here.train, options + ["--run", "whole"]).status == 0)
        let first = try here.run(here.train, options) { running in
            // Not before the second member's first checkpoint.
            running.wait { _ in !(!here.exists("pinn-run/member-2/plan.toml")) }
            running.send(SIGINT)
        }
        #expect(first.status == 75 && first.messages.contains("member 2 of 2"), "\(first.messages)")
        // What is not told is taken from the ensemble's own plan; more members may join.
        let second = try here.run(here.train, ["--resume", "--ensemble", "3", "--threads", "1"])
        #expect(second.status == 0 && second.output.contains("3 members"), "\(second.messages)")
        for number in 1...2 {
            let runs = try ["whole", "pinn-run"].map { try weights(here, "\($0)/member-\(number)", iteration: 3000) }
            #expect(runs[0] == runs[1], "member \(number)")
        }
        #expect(try weights(here, "pinn-run/member-3", iteration: 3000).count > 100)
    }

    @Test func ensemblesAndSingleRunsAreNotMistakenForEachOther() throws {
        let here = try Workspace()
        try here.addStore()
        let options = Workspace.short + ["--iterations", "5"]
        #expect(try here.run(here.train, options + ["--run", "one"]).status == 0)
        #expect(try here.run(here.train, options + ["--run", "two", "--ensemble", "2"]).status == 0)
        for (arguments, naming) in [
            (["--run", "one", "--resume", "--ensemble", "2"], "one network"),
            (["--run", "one", "--ensemble", "2"], "--resume"), (["--run", "two"], "--resume"),
            (["--run", "two", "--ensemble", "2"], "--resume"),
            (["--run", "two", "--resume", "--ensemble", "1"], "2 members"),
            (["--run", "two", "--resume", "--network", "2x8"], "--network"),
            (["--run", "new", "--ensemble", "0"], "--ensemble"),
        ] {
            let result = try here.run(here.train, arguments)
            #expect(result.status == 64 && result.messages.contains(naming), "\(arguments): \(result.messages)")
        }
        #expect(!here.exists("new"))
    }

    @Test func aPlanCountsEveryMember() throws {
        let folder = try TemporaryFolder()
        func figures(_ members: Int) throws -> [String: Any] {
            let result = try #require(Tool.built("pinn-plan")).run(
                ["--ensemble", "\(members)", "--unit-time", "0.02", "--format", "json"], in: folder.path)
            return try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        }
        let (one, five) = (try figures(1), try figures(5))
        #expect(five["run_bytes"] as? Int == 5 * (one["run_bytes"] as? Int ?? 0))
        let hours = [one, five].compactMap { ($0["this_machine"] as? [String: Any])?["streamed_h"] as? Double }
        #expect(hours.count == 2 && abs(hours[1] / hours[0] - 5) < 1e-12)
    }
}
