import Compute

/// What the covariance and the deviations allocate besides the devices.
extension WeightCovariance {
    /// Bytes while it is made, by purpose.
    public static func memory(_ problem: ResidualProblem, observations: Int) -> [(name: String, bytes: Int)] {
        let count = problem.networks.parameterCount
        let matrix = 8 * count * count
        let vectors = 8 * count * (3 * drawCount + 2 * eigenvalueCount + 6 * 64) + 4 * count * kept
        let eigenvalues = 8 * 4 * eigenvalueCount * eigenvalueCount
        // A block of rows in double; columns of the sample in single precision, and of what shows how noise is correlated.
        let rows = 8 * 1100 * count + 4 * 6 * 60_000 + 60 * min(observations, 1 << 18)
        return [
            ("the normal matrix of the weights", matrix),
            ("draws of the weights", vectors + eigenvalues), ("factors of the Jacobian", rows + factors(problem)),
        ]
    }

    /// Bytes that deviations take while they are carried to points.
    public static func memoryOfDeviations(_ problem: ResidualProblem, points: Int) -> Int {
        let outputs = problem.programs[0].program.outputs.count
        let sums = 3 * 8 * FieldDeviations.piece * outputs
        return 4 * problem.networks.parameterCount * kept + factors(problem) + sums + 2 * 2 * 4 * outputs * points
    }

    /// Vectors of weights that are kept.
    private static var kept: Int { drawCount + priorDrawCount + 1 }

    /// Of a piece of points: inputs and, for each output, adjoints of all layers in as many channels as its program has.
    private static func factors(_ problem: ResidualProblem) -> Int {
        let networks = problem.networks
        // Widths are rounded up to whole vectors.
        let widths = networks.networks.reduce(0) {
            $0 + ($1.hiddenLayers + 2) * (($1.width + 15) / 16 * 16) + 2 * $1.outputs
        }
        let rows = problem.programs.map { $0.derivatives.channelCount * (1 + $0.program.outputs.count) }.max() ?? 0
        return 4 * PointSample.piece * networks.decomposition.maxOverlap * widths * rows
    }
}
