import Foundation
import NetCDFFiles
import TestSupport
import Testing

@Suite struct EvalTests {
    private func figures(_ result: Tool.Result) throws -> [String: [String: Any]] {
        try #require(result.status == 0, "\(result.messages)")
        let all = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        let fields = try #require(all["fields"] as? [[String: Any]])
        return Dictionary(
            uniqueKeysWithValues: fields.compactMap { field in (field["field"] as? String).map { ($0, field) } })
    }

    /// The same numbers by another route: from the prediction that pinn-export writes.
    @Test func errorsAreThoseOfTheExportedPrediction() throws {
        let here = try Workspace()
        try here.addStore()
        let eval = try #require(Tool.built("pinn-eval"))
        #expect(try here.run(here.train, Workspace.short + ["--iterations", "200"]).status == 0)
        #expect(try here.run(here.export, ["prediction.nc"]).status == 0)
        let files = [
            Places.sample("sample_truth.nc"), "sample_velocity_measures.nc", "sample_bedmachine_v2.nc",
        ]
        let found = try figures(try here.run(eval, files + ["--format", "json"]))

        let prediction = try NetCDFFile(reading: here.folder.file("prediction.nc"))
        let thickness = try #require(prediction.group("thickness"))
        let truth = try NetCDFFile(reading: Places.sample("sample_truth.nc")).requireVariable("viscosity")
        let mu = zip(
            try prediction.requireVariable("mu").read(as: Double.self), try truth.read(as: Double.self))
        var pairs = ["mu": mu.filter { $0 < 1e30 && $1.isFinite }.map { ($0, $1) }]
        for (name, file) in [("u", prediction), ("v", prediction), ("h", thickness)] {
            let values = try file.requireVariable(name).read(as: Double.self)
            let misfits = try file.requireVariable("misfit_\(name)").read(as: Double.self)
            pairs[name] = zip(values, misfits).filter { $1 < 1e30 }.map { ($0, $0 - $1) }
        }
        for (name, pairs) in pairs {
            let field = try #require(found[name])
            #expect(field["cells"] as? Int == pairs.count, "\(name)")
            let error = try #require(field["relative_l2"] as? Double)
            // Misfits are rounded to single precision.
            #expect(abs(error / relativeError(pairs.map(\.0), pairs.map(\.1)) - 1) < 1e-4, "\(name)")
        }

        let table = try here.run(eval, files)
        #expect(table.status == 0 && table.output.contains("relative L2") && table.messages.isEmpty)
        #expect(try here.run(eval, files + ["--format", "markdown"]).output.contains("| mu "))
        // A prediction is a truth like others: of itself, to its own rounding.
        let itself = try figures(try here.run(eval, ["prediction.nc", "--format", "json"]))
        #expect(itself["mu"]?["relative_l2"] as? Double == 0 && itself.count == 4)
    }
}
