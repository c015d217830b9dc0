import CommandSupport
import Objective
import Runs
import Training

/// What `--tensorboard` writes of a run: loss, terms, misfits and learning rate. It only looks on; where it cannot go on,
/// training does.
final class TensorBoardLog {
    private let configuration: TrainingConfiguration
    private let terms: [LossTerm]
    private let file: TensorBoardWriter
    private var isBroken = false

    /// Iterations that are written of a long run, at most: more than any screen shows, and TensorBoard reads all.
    private static let most = 10_000

    init(in folder: String, _ configuration: TrainingConfiguration, _ terms: [LossTerm], from iteration: Int) throws {
        self.configuration = configuration
        self.terms = terms
        file = try TensorBoardWriter(in: folder, from: iteration)
    }

    func add(_ now: TrainingProgress) {
        let every = (configuration.iterations + TensorBoardLog.most - 1) / TensorBoardLog.most
        let isLast = now.iteration >= configuration.iterations
        guard !isBroken, isLast || now.iteration % max(every, 1) == 0 else { return }
        var scalars = [("loss/total", now.loss.total)]
        for (number, term) in terms.enumerated() {
            scalars.append(("loss/\(term.name)", now.loss.terms[number]))
            let unit = term.unit == "1" ? "" : " [\(term.unit)]"
            scalars.append(("misfit/\(term.name)\(unit)", now.loss.meanSquares[number].squareRoot()))
        }
        if !isLast, let rate = try? configuration.learningRate(at: now.iteration) {
            scalars.append(("learning rate", rate))
        }
        attempt { () throws(TensorBoardError) in
            try file.add(scalars.map { (tag: $0.0, value: $0.1) }, iteration: now.iteration)
            if isLast { try file.flush() }
        }
    }

    /// What was added before a run ends is seen, however it ends.
    func close() { attempt { () throws(TensorBoardError) in try file.flush() } }

    private func attempt(_ work: () throws(TensorBoardError) -> Void) {
        do throws(TensorBoardError) {
            try work()
        } catch {
            isBroken = true
            printMessage("warning: \(error.explanation); training goes on without it")
        }
    }
}
