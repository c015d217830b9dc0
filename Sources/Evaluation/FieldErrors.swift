import Fields
import Ingest

/// How far a predicted field is from the true one, over the cells where both have values. Errors are added cell by cell, in double.
public struct FieldErrors: Sendable {
    public let quantity: Quantity
    /// The variable that holds the truth, and its file.
    public let variable: String
    public let path: String
    public private(set) var cells = 0
    /// Cells of the run's ice at which the truth has no value.
    public internal(set) var missing = 0
    /// max |p − t| in the quantity's unit, and where [m].
    public private(set) var largest = -1.0
    public private(set) var position = (x: 0.0, y: 0.0)
    /// Errors of single cells relative to the truth there, |p − t| / |t|; `high` is exceeded by a twentieth of the cells. Nil
    /// where the truth is zero or changes its sign: near a zero, every error is large.
    public private(set) var relative: (median: Double, high: Double, largest: Double)?

    private var squaredErrors = 0.0
    private var squaredTruth = 0.0
    private var lowestTruth = Double.infinity
    private var highestTruth = -Double.infinity
    /// One for each cell, for the quantiles.
    private var relativeErrors: [Float] = []
    private var withinOne = 0
    private var withinTwo = 0
    private var squaredDeviations: Double?

    init(of field: GriddedField) {
        (quantity, variable, path) = (field.quantity, field.variable, field.path)
    }

    /// - Parameter deviation: standard deviation of an ensemble; nil for a single network.
    mutating func add(predicted: Double, deviation: Double?, truth: Double, x: Double, y: Double) {
        // A prediction that is not a number counts as an infinite error.
        let error = predicted.isNaN ? .infinity : abs(predicted - truth)
        cells += 1
        squaredErrors += error * error
        squaredTruth += truth * truth
        if error > largest { (largest, position) = (error, (x, y)) }
        lowestTruth = min(lowestTruth, truth)
        highestTruth = max(highestTruth, truth)
        relativeErrors.append(Float(error / abs(truth)))
        guard let deviation else { return }
        squaredDeviations = (squaredDeviations ?? 0) + deviation * deviation
        withinOne += error <= deviation ? 1 : 0
        withinTwo += error <= 2 * deviation ? 1 : 0
    }

    /// To be called after the last cell.
    mutating func finish() {
        let keepsSign = lowestTruth > 0 || highestTruth < 0
        relative = keepsSign ? relativeErrors.quantiles([0.5, 0.95, 1]).map { ($0[0], $0[1], $0[2]) } : nil
        relativeErrors = []
    }

    /// ‖p − t‖ / ‖t‖; nil where the truth is zero everywhere.
    public var relativeL2: Double? { squaredTruth > 0 ? (squaredErrors / squaredTruth).squareRoot() : nil }

    /// How well the standard deviation σ of an ensemble predicts the error; nil for a single network. Shares of the cells with
    /// |p − t| ≤ σ and ≤ 2 σ (0.68 and 0.95 of normal errors that σ describes), and root mean squares of σ over that of the
    /// error: less than 1 where the ensemble is overconfident.
    public var spread: (withinOne: Double, withinTwo: Double, ratio: Double?)? {
        squaredDeviations.map { squares in
            (
                Double(withinOne) / Double(cells), Double(withinTwo) / Double(cells),
                squaredErrors > 0 ? (squares / squaredErrors).squareRoot() : nil
            )
        }
    }
}
