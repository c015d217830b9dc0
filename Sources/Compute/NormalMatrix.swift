/// JᵀJ, summed over the Jacobians of piece after piece of a batch, so that neither J nor the factors of all points need fit in
/// memory. In double: the directions that data leave open lie 1e-10 below those that they determine.
public struct NormalMatrix {
    /// The number of parameters.
    public let order: Int
    /// (order, order), row-major, of which sums set the lower triangle.
    public var elements: [Double]

    public init(order: Int) {
        self.order = order
        elements = [Double](repeating: 0, count: order * order)
    }

    /// Adds the products of a Jacobian's rows in plain loops: what other devices are tested against.
    public mutating func add(rows: [Double]) {
        for start in stride(from: 0, to: rows.count, by: order) {
            for i in 0..<order {
                let factor = rows[start + i]
                if factor == 0 { continue }
                for j in 0...i { elements[i * order + j] += factor * rows[start + j] }
            }
        }
    }
}
