import Fields
import NetCDFFiles
import Objective
import PointStore
import Runs

/// Room on disk, from the layout of the files.
public struct DiskEstimate: Sendable, Equatable {
    /// One checkpoint at the end of the run [bytes].
    public let checkpoint: Int
    /// The most that a run's folder holds at once [bytes]: the checkpoints that are kept, the one that is being written, and
    /// the history twice, while it is replaced; for an ensemble, times its members.
    public let run: Int

    public init(_ configuration: TrainingConfiguration, objective: Objective) {
        let terms = objective.terms.count
        let parameters = objective.residualProblem.networks.parameterCount
        checkpoint = Checkpoint.byteCount(
            parameters: parameters, optimizer: configuration.optimizerStateSize(parameterCount: parameters),
            resampledPoints: configuration.resampledPoints, terms: terms, iterations: configuration.iterations)
        run =
            configuration.ensemble
            * ((RunDirectory.checkpointsKept + 1) * checkpoint
                + 2 * History.byteCount(terms: terms, iterations: configuration.iterations) + (1 << 16))
    }

    /// Throws where the file system has less room; `present` bytes of the run are there already.
    public func require(free: Int?, present: Int, in run: String) throws {
        guard let free, self.run - present > free else { return }
        throw PlainFailure(
            .inputOutput,
            "\(run): checkpoints need \(NumberText.bytes(self.run - present)), the disk has \(NumberText.bytes(free)) left; make room, or choose another place with --run DIR"
        )
    }
}
