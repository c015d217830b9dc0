/// The loss of every iteration that a run has made, over all of its resumptions.
public struct History: Sendable, Equatable {
    public let termNames: [String]
    /// One an iteration, from 0.
    public var totals: [Double] = []
    /// (iterations, terms), row-major: mean squared residuals without their weights.
    public var terms: [Double] = []
    /// (iterations, terms), row-major: root mean squares in the terms' units.
    public var misfits: [Double] = []
    /// One a term.
    public let units: [String]

    public init(termNames: [String], units: [String] = []) {
        self.termNames = termNames
        self.units = units
    }

    public var count: Int { totals.count }

    public mutating func append(total: Double, terms: [Double], misfits: [Double]) {
        precondition(terms.count == termNames.count && misfits.count == termNames.count)
        totals.append(total)
        self.terms += terms
        self.misfits += misfits
    }
}
