import CommandSupport
import Ingest

/// A progress line for each stage of more than a second.
final class StageDisplay {
    private static let patience = Duration.seconds(1)

    private var stage: IngestStage?
    private var begin = ContinuousClock.now
    private var bar: Progress?
    private var done = 0

    func update(_ stage: IngestStage, _ done: Int, _ total: Int) {
        if stage != self.stage {
            close()
            self.stage = stage
            begin = .now
        }
        self.done = done
        if bar == nil, ContinuousClock.now - begin > StageDisplay.patience {
            // Starts at `done`, so that the rate is that of the displayed part.
            bar = Progress(stage.rawValue, total: total, unit: stage.unit, from: done)
        } else {
            bar?.update(done)
        }
    }

    /// Ends the current line.
    func close() {
        bar?.finish(done)
        bar = nil
        stage = nil
    }
}
