import Foundation
import NetCDFFiles
import TestSupport
import Testing

@Suite struct TensorBoardTests {
    @Test func eventFilesHoldTheHistoryAndAResumedRunSaysWhereItGoesOn() throws {
        let here = try Workspace()
        try here.addStore()
        let options = Workspace.short + ["--optimizer", "adam:20,lbfgs", "--tensorboard", "board/one"]
        for more in [["--iterations", "30"], ["--iterations", "40", "--resume"]] {
            let trained = try here.run(here.train, options + more)
            try #require(trained.status == 0, "\(trained.messages)")
        }
        let events = try EventFileReader(folder: here.folder.file("board/one")).events
        #expect(events.filter { $0.version == "brain.Event:2" }.count == 2)
        // The second file begins with a start at the checkpoint, behind its version.
        #expect(events.filter { $0.status == 1 }.map(\.step) == [30])
        let scalars = events.filter { !$0.scalars.isEmpty }
        #expect(scalars.map(\.step) == Array(0...30) + Array(30...40))
        #expect(zip(events, events.dropFirst()).allSatisfy { $0.time <= $1.time } && events[0].time > 1.7e9)

        let history = try NetCDFFile(reading: here.folder.file("pinn-run/history.nc"))
        let losses: [Double] = try history.requireVariable("loss").read()
        let terms: [Double] = try history.requireVariable("loss_term").read()
        let misfits: [Double] = try history.requireVariable("misfit").read()
        let names = try #require(history.attribute("loss_terms")?.text).split(separator: " ").map(String.init)
        for event in scalars where event.step < 40 {
            #expect(event.scalars["loss/total"] == Float(losses[event.step]))
            for (term, name) in names.enumerated() {
                #expect(event.scalars["loss/\(name)"] == Float(terms[event.step * names.count + term]))
            }
            #expect(event.scalars["misfit/velocity [m year-1]"] == Float(misfits[event.step * names.count]))
        }
        // Adam's warm-up of 100 iterations to 1e-3; a line search has no rate.
        for event in scalars {
            let rate = event.step < 20 ? 1e-5 * Double(event.step + 1) * exp2(-Double(event.step) / 3000) : nil
            #expect(event.scalars["learning rate"] == rate.map { Float($0) })
        }
    }

    @Test func trainingIsTheSameWithEventFiles() throws {
        let here = try Workspace()
        try here.addStore()
        let options = Workspace.short + ["--iterations", "12"]
        #expect(try here.run(here.train, options + ["--run", "without"]).status == 0)
        #expect(try here.run(here.train, options + ["--run", "with", "--tensorboard", "board"]).status == 0)
        let weights = try ["without", "with"].map {
            try NetCDFFile(reading: here.folder.file("\($0)/checkpoint-0000000012.nc")).requireVariable("parameters")
                .read(as: Float.self)
        }
        #expect(weights[0] == weights[1])
    }
}
