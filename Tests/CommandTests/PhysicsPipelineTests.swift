import Foundation
import NetCDFFiles
import TestSupport
import Testing

/// Every physics from a synthetic product to a map, by the commands.
@Suite struct PhysicsPipelineTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let physics: String
        let shelf: String
        var ice = "floating"
        /// Inferred fields with their units, and CF names where there are some.
        let fields: [(name: String, units: String, standardName: String?)]
        let residuals: [(name: String, units: String)]
        var testDescription: String { physics }
    }

    static let momentum = [("residual_momentum_x", "Pa"), ("residual_momentum_y", "Pa")]
    static let cases = [
        Case(
            physics: "mass-conservation", shelf: "wedge",
            fields: [("mu", "Pa s", nil), ("mass_balance", "m year-1", nil)],
            residuals: momentum + [("residual_mass", "m year-1")]),
        Case(
            physics: "anisotropic", shelf: "crevassed", fields: [("mu_h", "Pa s", nil), ("mu_v", "Pa s", nil)],
            residuals: momentum),
        Case(
            physics: "shelfy-stream", shelf: "stream", ice: "grounded",
            fields: [
                ("s", "m", "surface_altitude"), ("misfit_s", "m", nil), ("C2", "Pa", nil),
                ("basal_drag", "Pa", "land_ice_basal_drag"), ("mu", "Pa s", nil),
            ], residuals: momentum),
        Case(
            physics: "flow-line", shelf: "flow-line", fields: [("B", "Pa", nil), ("mu", "Pa s", nil)],
            residuals: [momentum[0]]),
    ]

    @Test(arguments: cases)
    func goesFromASyntheticProductToAMap(physics: Case) throws {
        let here = try Workspace()
        let sample = try #require(Tool.built("pinn-sample"))
        let made = try here.run(sample, ["--case", physics.shelf, "--spacing-m", "3000"])
        try #require(made.status == 0, "\(made.messages)")
        let ingest = try here.run(
            here.ingest, ["sample_velocity_measures.nc", "--mask", physics.ice, "--points", "5000"])
        try #require(ingest.status == 0, "\(ingest.messages)")
        for network in ["2x8", "2x8+2x6"] {
            let train = try here.run(
                here.train,
                Workspace.short + [
                    "--physics", physics.physics, "--network", network, "--iterations", "5", "--run", network,
                ])
            try #require(train.status == 0, "\(train.messages)")
        }
        let export = try here.run(here.export, ["prediction.nc", "--run", "2x8+2x6"])
        try #require(export.status == 0, "\(export.messages)")

        let file = try NetCDFFile(reading: here.folder.file("prediction.nc"))
        let thickness = try #require(file.group("thickness"))
        for field in physics.fields {
            // Heights were observed on the other grid.
            let group = field.name == "misfit_s" ? thickness : file
            let variable = try group.requireVariable(field.name)
            #expect(variable.attribute("units")?.text == field.units)
            #expect(variable.attribute("standard_name")?.text == field.standardName)
            let values = try variable.read(as: Float.self).filter { $0 < 1e30 }
            #expect(values.count > 1000 && values.allSatisfy(\.isFinite))
        }
        for residual in physics.residuals {
            #expect(try file.requireVariable(residual.name).attribute("units")?.text == residual.units)
        }
        #expect(file.variables.count { $0.name.hasPrefix("residual_") } == physics.residuals.count)

        // The truth that comes with it tells something of what was inferred.
        let eval = try here.run(try #require(Tool.built("pinn-eval")), ["sample_truth.nc", "--run", "2x8+2x6"])
        #expect(eval.status == 0 && eval.output.contains("sample_truth.nc"), "\(eval.messages)")
    }

    @Test func iceThatThePhysicsIsNotOfIsRefused() throws {
        let here = try Workspace()
        try here.addStore()
        let train = try here.run(here.train, ["--physics", "shelfy-stream"])
        #expect(train.status == 64)
        #expect(train.messages.contains("--mask grounded"))
        #expect(!here.exists("pinn-run"))
        // The sample's coast is in the mask, but no product knows it.
        let ingest = try here.run(here.ingest, ["sample_velocity_measures.nc", "--ice", "grounded", "-o", "other.nc"])
        #expect(ingest.status == 65)
        #expect(ingest.messages.contains("grounded"))
        #expect(try here.run(here.ingest, ["sample_velocity_measures.nc", "--ice", "wet"]).status == 64)
    }
}
