import Fields
import Foundation
import MapProjections
import NetCDFFiles
import TestSupport
import Testing

@Suite struct PipelineTests {
    @Test func threeCommandsInAFolderWithTwoDownloadsLeaveAPrediction() throws {
        let here = try Workspace()
        try here.addSample()
        let ingest = try here.run(here.ingest, ["sample_velocity_measures.nc"])
        #expect(ingest.status == 0, "\(ingest.messages)")
        // The thickness was found in the same folder, and the user is told.
        #expect((ingest.output + ingest.messages).contains("sample_bedmachine_v2.nc"))
        let train = try here.run(here.train, Workspace.short + ["--iterations", "40"])
        #expect(train.status == 0, "\(train.messages)")
        let export = try here.run(here.export, ["prediction.nc"])
        #expect(export.status == 0, "\(export.messages)")
        #expect(here.partialFiles.isEmpty)

        let prediction = try NetCDFFile(reading: here.folder.file("prediction.nc"))
        let product = try NetCDFFile(reading: here.folder.file("sample_velocity_measures.nc"))
        #expect(
            try prediction.requireVariable("x").read(as: Double.self)
                == product.requireVariable("x").read(as: Double.self))
        #expect(
            try prediction.requireVariable("y").read(as: Double.self)
                == product.requireVariable("y").read(as: Double.self))
        let u: [Float] = try prediction.requireVariable("u").read()
        let misfit: [Float] = try prediction.requireVariable("misfit_u").read()
        let observed: [Float] = try product.requireVariable("VX").read()
        let mu: [Float] = try prediction.requireVariable("mu").read()
        var compared = 0
        for cell in u.indices where misfit[cell] < 1e30 {
            compared += 1
            // The misfit's two terms are of some hundred m/yr in float32.
            #expect(abs(u[cell] - misfit[cell] - observed[cell]) < 1e-2)
        }
        #expect(compared > 10_000)
        #expect(mu.allSatisfy { $0 > 0 })
        for name in [
            "u", "v", "h", "mu", "effective_strain_rate", "residual_momentum_x", "residual_momentum_y",
        ] {
            #expect(prediction.variable(name) != nil, "\(name)")
        }
        let thickness = try #require(prediction.group("thickness"))
        let bedmachine = try NetCDFFile(reading: here.folder.file("sample_bedmachine_v2.nc"))
        #expect(
            try thickness.requireVariable("x").read(as: Double.self)
                == bedmachine.requireVariable("x").read(as: Double.self))
        #expect(try thickness.requireVariable("misfit_h").read(as: Float.self).contains { abs($0) < 100 })
    }

    @Test func aRunStoppedBySignalAndResumedHasTheBitsOfOneThatWasNot() throws {
        let here = try Workspace()
        try here.addStore()
        let options = Workspace.short + ["--iterations", "4000"]
        #expect(try here.run(here.train, options + ["--run", "whole"]).status == 0)
        for (number, signal) in [SIGTERM, SIGINT, SIGUSR1].enumerated() {
            let run = "stopped\(number)"
            let first = try here.run(here.train, options + ["--run", run]) { running in
                // Not before the first checkpoint, so that there is a run to stop.
                running.wait { _ in here.exists("\(run)/plan.toml") }
                running.send(signal)
            }
            #expect(first.status == 75 && !first.died, "\(first.messages)")
            #expect(first.messages.contains("--resume"))
            let second = try here.run(here.train, options + ["--run", run, "--resume", "--threads", "1"])
            #expect(second.status == 0, "\(second.messages)")
            let ends = try ["whole", run].map {
                try NetCDFFile(reading: here.folder.file("\($0)/checkpoint-0000004000.nc"))
            }
            for name in ["parameters", "optimizer_first_moment", "optimizer_second_moment"] {
                let values = try ends.map { try $0.requireVariable(name).read(as: Float.self).map(\.bitPattern) }
                #expect(values[0] == values[1], "\(name) after \(signal)")
            }
            let losses = try ends.map { try $0.requireVariable("loss").read(as: Double.self).map(\.bitPattern) }
            #expect(losses[0] == losses[1])
        }
    }

    @Test func aFinishedRunIsNotOverwrittenAndItsPlanCanBeReadBack() throws {
        let here = try Workspace()
        try here.addStore()
        #expect(try here.run(here.train, Workspace.short + ["--iterations", "10", "--seed", "7"]).status == 0)
        let again = try here.run(here.train, Workspace.short + ["--iterations", "10"])
        #expect(again.status == 64)
        #expect(again.messages.contains("--resume"))
        let changed = try here.run(here.train, ["--resume", "--learning-rate", "0.5"])
        #expect(changed.status == 64)
        #expect(changed.messages.contains("--learning-rate"))
        let repeated = try here.run(here.train, ["--config", "pinn-run/plan.toml", "--run", "repeated"])
        #expect(repeated.status == 0, "\(repeated.messages)")
        // But for the first line, which says whose they are.
        let plans = try ["pinn-run", "repeated"].map {
            String(decoding: try here.bytes("\($0)/plan.toml"), as: UTF8.self).split(separator: "\n")
        }
        #expect(plans[0].dropFirst() == plans[1].dropFirst() && plans[0][0] != plans[1][0])
        let ends = try ["pinn-run", "repeated"].map {
            try NetCDFFile(reading: here.folder.file("\($0)/checkpoint-0000000010.nc")).requireVariable("parameters")
                .read(as: Float.self)
        }
        #expect(ends[0] == ends[1])
    }

    @Test func pointsByLongitudeAndLatitudeHaveTheFieldsOfTheSamePointsInMetres() throws {
        let here = try Workspace()
        try here.addStore()
        #expect(try here.run(here.train, Workspace.short + ["--iterations", "5"]).status == 0)
        let polar = try #require(PolarProjection(Projection(attributes: [("spatial_epsg", .number(3031))])))
        let places = [(x: 360_000.0, y: 2_090_000.0), (x: 372_000, y: 2_105_000)]
        func write(_ name: String, _ lines: [String]) throws {
            try lines.joined(separator: "\r\n").write(
                toFile: here.folder.file(name), atomically: true, encoding: .utf8)
        }
        try write("metres.csv", ["x,y"] + places.map { "\($0.x),\($0.y)" })
        let degrees = places.map { polar.coordinates(x: $0.x, y: $0.y) }
        try write("degrees.csv", ["Lat,id,Longitude"] + degrees.map { "\($0.latitude),1,\($0.longitude)" })
        func fields(_ name: String) throws -> [[Double]] {
            let result = try here.run(here.export, ["out-\(name)", "--points", name])
            #expect(result.status == 0, "\(result.messages)")
            let lines = String(decoding: try here.bytes("out-\(name)"), as: UTF8.self).split(separator: "\n")
            return lines.dropFirst().map { $0.split(separator: ",").suffix(4).compactMap { Double($0) } }
        }
        let (metres, inDegrees) = (try fields("metres.csv"), try fields("degrees.csv"))
        #expect(metres.count == 2 && metres.allSatisfy { $0.count == 4 })
        for (a, b) in zip(metres.joined(), inDegrees.joined()) { #expect(abs(a - b) <= 1e-4 * abs(a)) }
        #expect(inDegrees.count == metres.count)

        // Gaps as pandas and R write them, and the same points with other fields in the place of the first table.
        try write("gaps.csv", ["x,y", "\(places[0].x),\(places[0].y)", "nan,1", ",", "NA,NA"])
        for fields in ["u,mu", "h"] {
            let result = try here.run(here.export, ["gaps-out.csv", "--points", "gaps.csv", "--fields", fields])
            #expect(result.status == 0 && result.output.contains("1 of 4 points"), "\(result.messages)")
        }
        #expect(String(decoding: try here.bytes("gaps-out.csv"), as: UTF8.self).hasSuffix("nan,1,\n,,\nNA,NA,\n"))
        let other = try here.run(here.export, ["gaps-out.csv", "--points", "degrees.csv"])
        #expect(other.status == 64 && other.messages.contains("is not replaced"), "\(other.messages)")

        try write("far.csv", ["lon,lat", "10,-70", "10,-91"])
        let refused = try here.run(here.export, ["far-out.csv", "--points", "far.csv"])
        #expect(refused.status == 65 && refused.messages.contains("line 3"), "\(refused.messages)")
        #expect(!here.exists("far-out.csv"))
        let endless = try here.run(here.export, ["far-out.csv", "--points", "/dev/zero"])
        #expect(endless.status == 65 && endless.messages.contains("a device"), "\(endless.messages)")
        #expect(!here.exists("far-out.csv"))
    }

    @Test func theTimeLeftIsThatToTheNextPhase() throws {
        let here = try Workspace()
        try here.addStore()
        let result = try here.run(here.train, Workspace.short + ["--optimizer", "adam:5,lbfgs:5"])
        #expect(result.status == 0)
        let lines = result.messages.split(separator: "\n").filter { $0.hasPrefix("training ") }
        #expect(lines.first?.contains(" to lbfgs") == true && lines.last?.contains(" to ") == false, "\(lines)")
    }

    @Test func theSecondTrainerInARunIsTurnedAway() throws {
        let here = try Workspace()
        try here.addStore()
        var second: Tool.Result?
        let first = try here.run(here.train, Workspace.short + ["--iterations", "1000000"]) { running in
            running.wait { _ in here.exists("pinn-run/plan.toml") }
            second = try? here.run(here.train, Workspace.short + ["--iterations", "10"])
            running.send(SIGTERM)
        }
        #expect(first.status == 75)
        #expect(second?.status == 69)
        #expect(second?.messages.contains("process") == true)
    }
}
