import Objective

/// Where a run stands, for progress displays.
public struct TrainingProgress: Sendable {
    public let iteration: Int
    /// By the run's fixed weights.
    public let loss: Loss
    /// Points of all sets that were visited since the last report.
    public let points: Int
}

/// How a call of the trainer ended.
public enum TrainingOutcome: Sendable, Equatable {
    /// All iterations of the configuration are done, or as many as its stopping rule asks for.
    case complete(iteration: Int, checkpoint: String)
    /// Stopped on request; an iteration that it was in is dropped.
    case stopped(iteration: Int, checkpoint: String)
}
