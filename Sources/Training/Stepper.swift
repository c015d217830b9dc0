import Compute
import Objective
import Optimizers

/// What an iteration found.
struct IterationResult {
    let iteration: Int
    /// With the loss by the run's fixed weights.
    let loss: Loss
    let isGradientFinite: Bool
}

/// Makes the steps of a phase: accumulates a gradient over a batch, reduces it over all processes, updates the parameters. On the
/// host each is done when it is asked for; a device may be some iterations behind.
protocol Stepper {
    /// Asks for loss and gradient of the iteration at the state's parameters.
    ///
    /// - Parameter needsResult: whether `results` must hold this iteration's loss before `update`, and the state its parameters.
    mutating func accumulate(
        _ state: inout TrainingState, on batch: Batch, factors: [Double]?, needsResult: Bool) throws

    /// What has become known since the last call, in the order of the iterations.
    mutating func results() throws -> [IterationResult]

    /// Moves the parameters.
    mutating func update(_ state: inout TrainingState) throws

    /// Waits for all updates; the state then has what they made. `results` holds all that they found.
    mutating func synchronize(_ state: inout TrainingState) throws

    /// The next iteration has other points or other weights than the last one.
    mutating func lossDidChange(_ state: inout TrainingState)
}
