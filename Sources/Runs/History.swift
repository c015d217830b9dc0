/// The loss of every iteration that a run has made, over all of its resumptions.
public struct History: Sendable, Equatable {
    public let termNames: [String]
    /// One an iteration, from 0.
    public var totals: [Double] = []
    /// (iterations, terms), row-major: mean squared residuals without their weights.
    public var terms: [Double] = []

    public init(termNames: [String]) {
        self.termNames = termNames
    }

    public var count: Int { totals.count }

    public mutating func append(total: Double, terms: [Double]) {
        precondition(terms.count == termNames.count)
        totals.append(total)
        self.terms += terms
    }

    public mutating func removeLast() {
        totals.removeLast()
        terms.removeLast(termNames.count)
    }
}
