import Fields
import Ingest

/// How far a predicted field is from the true one, over the cells where both have values.
public struct FieldErrors: Sendable {
    public let quantity: Quantity
    /// The variable that holds the truth, and its file.
    public let variable: String
    public let path: String
    public let cells: Int
    /// Floating cells at which the truth has no value.
    public let missing: Int
    /// ‖p − t‖ / ‖t‖; nil where the truth is zero everywhere.
    public let relativeL2: Double?
    /// max |p − t| in the quantity's unit, and where [m].
    public let largest: Double
    public let position: (x: Double, y: Double)
    /// Errors of single cells relative to the truth there, |p − t| / |t|; `high` is exceeded by a twentieth of the cells. Nil
    /// where the truth is zero or changes its sign: near a zero, every error is large.
    public let relative: (median: Double, high: Double, largest: Double)?
    /// How well the standard deviation σ of an ensemble predicts the error; nil for a single network. Shares of the cells with
    /// |p − t| ≤ σ and ≤ 2 σ (0.68 and 0.95 of normal errors that σ describes), and root mean squares of σ over that of the
    /// error: less than 1 where the ensemble is overconfident.
    public let spread: (withinOne: Double, withinTwo: Double, ratio: Double?)?
}

/// Accumulates errors cell by cell, in double; keeps one relative error (float) per cell, for the quantiles.
struct ErrorSums {
    private(set) var cells = 0
    var missing = 0
    private var squaredErrors = 0.0
    private var squaredTruth = 0.0
    private var largest = -1.0
    private var position = (x: 0.0, y: 0.0)
    private var lowestTruth = Double.infinity
    private var highestTruth = -Double.infinity
    private var relative: [Float] = []
    private var withinOne = 0
    private var withinTwo = 0
    private var squaredDeviations = 0.0
    private var hasDeviations = false

    mutating func add(predicted: Double, deviation: Double?, truth: Double, x: Double, y: Double) {
        // A prediction that is not a number counts as an infinite error.
        let error = predicted.isNaN ? .infinity : abs(predicted - truth)
        cells += 1
        squaredErrors += error * error
        squaredTruth += truth * truth
        if error > largest { (largest, position) = (error, (x, y)) }
        lowestTruth = min(lowestTruth, truth)
        highestTruth = max(highestTruth, truth)
        relative.append(Float(error / abs(truth)))
        guard let deviation else { return }
        hasDeviations = true
        squaredDeviations += deviation * deviation
        withinOne += error <= deviation ? 1 : 0
        withinTwo += error <= 2 * deviation ? 1 : 0
    }

    /// Nil where no cell was added.
    func errors(of field: GriddedField) -> FieldErrors? {
        guard cells > 0 else { return nil }
        let keepsSign = lowestTruth > 0 || highestTruth < 0
        let quantiles = keepsSign ? relative.quantiles([0.5, 0.95, 1]) : nil
        return FieldErrors(
            quantity: field.quantity, variable: field.variable, path: field.path, cells: cells, missing: missing,
            relativeL2: squaredTruth > 0 ? (squaredErrors / squaredTruth).squareRoot() : nil, largest: largest,
            position: position,
            relative: quantiles.map { ($0[0], $0[1], $0[2]) },
            spread: hasDeviations
                ? (
                    Double(withinOne) / Double(cells), Double(withinTwo) / Double(cells),
                    squaredErrors > 0 ? (squaredDeviations / squaredErrors).squareRoot() : nil
                ) : nil)
    }
}
