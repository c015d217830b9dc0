import CommandSupport
import Fields
import Objective
import Training

/// What a user sees of a run while it goes on: the progress line, and the files of `--tensorboard`.
struct TrainingDisplay {
    private let context: TrainingContext
    private let events: TensorBoardLog?
    private var progress: Progress
    private var last: TrainingProgress?
    /// Points of all sets that were visited since `begin`.
    private var points = 0
    private let begin = ContinuousClock.now

    /// - Parameters:
    ///   - iteration: that the run begins with or is resumed at.
    ///   - tensorboard: the folder for its files.
    init(_ context: TrainingContext, from iteration: Int, tensorboard: String?, member: EnsembleMember?) throws {
        self.context = context
        let configuration = context.configuration
        events = try tensorboard.map { folder in
            try TensorBoardLog(
                in: member.map { "\(folder)/member-\($0.number)" } ?? folder, configuration, context.objective.terms,
                from: iteration)
        }
        progress = Progress(
            "training", total: configuration.iterations, unit: "iterations", from: iteration,
            stages: configuration.phases.phases.map { ($0.start, $0.name) })
    }

    mutating func update(_ now: TrainingProgress) {
        points += now.points
        last = now
        events?.add(now)
        // A copy: the line is made while `progress` is being changed.
        let display = self
        progress.update(now.iteration) { display.summary }
    }

    /// The last line.
    mutating func finish(_ iteration: Int) { progress.finish(iteration, details: summary) }

    /// Writes out what was added, however the run ends.
    func close() { events?.close() }

    private var summary: String {
        guard let last else { return "" }
        let terms = zip(context.objective.terms, last.loss.meanSquares).map { term, square in
            "\(term.name) \(NumberText.plain(square.squareRoot()))\(term.unit == "1" ? "" : " \(term.unit.replacing("year-1", with: "yr-1"))")"
        }
        let seconds = (ContinuousClock.now - begin) / .seconds(1)
        let rate = seconds > 0 ? "\(Int(Double(points) / seconds)) points/s" : ""
        return "loss \(NumberText.plain(last.loss.total))  \(terms.joined(separator: "  "))  \(rate)"
    }
}
