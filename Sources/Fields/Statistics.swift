// Inlinable, so that each use is compiled for its own type: unspecialised, sorting took 0.6 s of an ingest of the Amery.
extension Array where Element: BinaryFloatingPoint {
    /// Sum over count, in double; nil of nothing.
    @inlinable public var mean: Double? { isEmpty ? nil : reduce(0) { $0 + Double($1) } / Double(count) }

    /// nil of nothing.
    @inlinable public var rootMeanSquare: Double? {
        isEmpty ? nil : (reduce(0) { $0 + Double($1) * Double($1) } / Double(count)).squareRoot()
    }

    /// The values below which these shares of all values lie, interpolated between neighbours (type 7 of Hyndman & Fan, 1996,
    /// The American Statistician 50); nil of nothing, and where a value is NaN, which has no place in an order.
    @inlinable public func quantiles(_ shares: [Double]) -> [Double]? {
        guard !isEmpty, !contains(where: \.isNaN) else { return nil }
        let ordered = sorted()
        return shares.map { share in
            let place = share * Double(count - 1)
            let (below, part) = (Int(place), place - place.rounded(.down))
            let low = Double(ordered[below])
            let high = Double(ordered[Swift.min(below + 1, count - 1)])
            // Without arithmetic where none is needed: the values may be infinite.
            return part == 0 || low == high ? low : low + part * (high - low)
        }
    }

    @inlinable public func quantile(_ share: Double) -> Double? { quantiles([share])?[0] }
    @inlinable public var median: Double? { quantile(0.5) }
    /// First and third; empty of nothing.
    @inlinable public var quartiles: [Double] { quantiles([0.25, 0.75]) ?? [] }

    /// The middle value of an odd number of them, the upper of the two middle ones of an even number: always one of the values.
    /// Weights of observations rest on it, so stores keep their bits.
    @inlinable public var upperMedian: Element? { isEmpty ? nil : sorted()[count / 2] }
}
