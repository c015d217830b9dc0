import CommandSupport
import Objective
import Runs
import Training

/// The files of `--tensorboard`: loss, terms, misfits and learning rate of a run. Where they cannot be written, training
/// continues without them.
final class TensorBoardLog {
    private let configuration: TrainingConfiguration
    private let terms: [LossTerm]
    private let file: TensorBoardWriter
    private var isBroken = false

    /// Most iterations that are written of a long run: more than a screen shows, and TensorBoard reads all of them.
    private static let maxIterations = 10_000

    init(in folder: String, _ configuration: TrainingConfiguration, _ terms: [LossTerm], from iteration: Int) throws {
        self.configuration = configuration
        self.terms = terms
        file = try TensorBoardWriter(in: folder, from: iteration)
    }

    func add(_ now: TrainingProgress) {
        let every = (configuration.iterations + TensorBoardLog.maxIterations - 1) / TensorBoardLog.maxIterations
        let isLast = now.iteration >= configuration.iterations
        guard !isBroken, isLast || now.iteration % max(every, 1) == 0 else { return }
        var scalars = [("loss/total", now.loss.total)]
        for (number, term) in terms.enumerated() {
            scalars.append(("loss/\(term.name)", now.loss.terms[number]))
            let unit = term.unit == "1" ? "" : " [\(term.unit)]"
            scalars.append(("misfit/\(term.name)\(unit)", now.loss.meanSquares[number].squareRoot()))
        }
        if !isLast, let rate = configuration.learningRate(at: now.iteration) {
            scalars.append(("learning rate", rate))
        }
        attempt { () throws(TensorBoardError) in
            try file.add(scalars.map { (tag: $0.0, value: $0.1) }, iteration: now.iteration)
            if isLast { try file.flush() }
        }
    }

    /// Writes out what was added, however the run ends.
    func close() { attempt { () throws(TensorBoardError) in try file.flush() } }

    private func attempt(_ work: () throws(TensorBoardError) -> Void) {
        do throws(TensorBoardError) {
            try work()
        } catch {
            isBroken = true
            printMessage("warning: \(error.explanation); training continues without it")
        }
    }
}
