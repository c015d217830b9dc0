import Dispatch

/// A symmetric matrix in double that quasi-Newton methods keep: its lower triangle, row by row.
///
/// It is larger than any cache, so what counts is how often it is read: a change of rank two is made in the pass that the
/// next product needs anyway.
struct InverseHessian: Sendable {
    /// H ← keep H + ww w wᵀ + sw (s wᵀ + w sᵀ) + ss s sᵀ.
    struct Change: Sendable {
        var keep: Double
        var ww: Double
        var sw: Double
        var ss: Double
        var s: [Double]
        var w: [Double]
    }

    let order: Int
    private(set) var elements: [Double]

    /// The identity.
    init(order: Int) {
        self.order = order
        elements = [Double](repeating: 0, count: InverseHessian.elementCount(order))
        for row in 0..<order { elements[InverseHessian.elementCount(row) + row] = 1 }
    }

    init?(order: Int, elements: [Double]) {
        guard elements.count == InverseHessian.elementCount(order) else { return nil }
        self.order = order
        self.elements = elements
    }

    static func elementCount(_ order: Int) -> Int { order * (order + 1) / 2 }

    /// Makes a change, where there is one, and returns H x.
    ///
    /// Rows are dealt into a fixed number of runs with equal work, each with a sum of its own, and the sums are added in order:
    /// the bits do not depend on the number of threads.
    mutating func product(_ x: [Double], after change: Change?, threads: Int) -> [Double] {
        let order = order
        precondition(x.count == order)
        let runs = min(InverseHessian.runs, order)
        let bounds = (0...runs).map { Int((Double($0) / Double(runs)).squareRoot() * Double(order)) }
        let change = change ?? Change(keep: 1, ww: 0, sw: 0, ss: 0, s: x, w: x)
        var sums = [Double](repeating: 0, count: runs * order)
        elements.withUnsafeMutableBufferPointer { elements in
            sums.withUnsafeMutableBufferPointer { sums in
                // Unchecked: a run writes its own rows and its own sum.
                nonisolated(unsafe) let elements = elements.baseAddress!
                nonisolated(unsafe) let sums = sums.baseAddress!
                let workers = min(max(threads, 1), runs)
                DispatchQueue.concurrentPerform(iterations: workers) { worker in
                    for run in stride(from: worker, to: runs, by: workers) {
                        for row in bounds[run]..<bounds[run + 1] {
                            InverseHessian.pass(
                                row: row, elements + InverseHessian.elementCount(row), change, x, sums + run * order)
                        }
                    }
                }
            }
        }
        var result = [Double](repeating: 0, count: order)
        for run in 0..<runs {
            for k in 0..<order { result[k] += sums[run * order + k] }
        }
        return result
    }

    /// More than any number of threads makes use of: memory is what they wait for.
    private static let runs = 16

    /// Changes a row, and adds what it and its mirror image, the column, contribute to H x.
    @inline(__always)
    private static func pass(
        row: Int, _ h: UnsafeMutablePointer<Double>, _ change: Change, _ x: [Double],
        _ sum: UnsafeMutablePointer<Double>
    ) {
        let keep = change.keep
        // Element (row, j) changes by p s[j] + q w[j].
        let p = change.ss * change.s[row] + change.sw * change.w[row]
        let q = change.sw * change.s[row] + change.ww * change.w[row]
        let xRow = x[row]
        change.s.withUnsafeBufferPointer { s in
            change.w.withUnsafeBufferPointer { w in
                x.withUnsafeBufferPointer { x in
                    typealias Lanes = SIMD8<Double>
                    let (s, w, x) = (s.baseAddress!, w.baseAddress!, x.baseAddress!)
                    func lanes(_ pointer: UnsafePointer<Double>, _ j: Int) -> Lanes {
                        UnsafeRawPointer(pointer + j).loadUnaligned(as: Lanes.self)
                    }
                    var partial = Lanes.zero
                    var j = 0
                    while j + Lanes.scalarCount <= row {
                        let value = keep * lanes(h, j) + (p * lanes(s, j) + q * lanes(w, j))
                        UnsafeMutableRawPointer(h + j).storeBytes(of: value, as: Lanes.self)
                        partial += value * lanes(x, j)
                        UnsafeMutableRawPointer(sum + j).storeBytes(of: lanes(sum, j) + xRow * value, as: Lanes.self)
                        j += Lanes.scalarCount
                    }
                    var rest = partial.sum()
                    while j < row {
                        h[j] = keep * h[j] + (p * s[j] + q * w[j])
                        rest += h[j] * x[j]
                        sum[j] += xRow * h[j]
                        j += 1
                    }
                    h[row] = keep * h[row] + (p * s[row] + q * w[row])
                    sum[row] += rest + h[row] * xRow
                }
            }
        }
    }
}
