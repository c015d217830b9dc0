import Threads

/// The symmetric matrix H of a quasi-Newton method, in double: its lower triangle, row by row.
///
/// It is larger than any cache, so its cost is the number of passes over it: an update of rank two is made in the pass of the
/// next product.
struct InverseHessian: Sendable, Equatable {
    /// H ← keep H + ww w wᵀ + sw (s wᵀ + w sᵀ) + ss s sᵀ.
    struct Change: Sendable, Equatable {
        var keep: Double
        var ww: Double
        var sw: Double
        var ss: Double
        var s: [Double]
        var w: [Double]
    }

    let order: Int
    /// Empty: those of the identity, which takes no memory until the first product.
    private(set) var elements: [Double]

    /// - Parameter elements: empty for the identity.
    init(order: Int, elements: [Double] = []) {
        precondition(elements.isEmpty || elements.count == InverseHessian.elementCount(order))
        self.order = order
        self.elements = elements
    }

    private mutating func allocateIdentity() {
        elements = [Double](repeating: 0, count: InverseHessian.elementCount(order))
        for row in 0..<order { elements[InverseHessian.elementCount(row) + row] = 1 }
    }

    static func elementCount(_ order: Int) -> Int { order * (order + 1) / 2 }

    /// Applies a change, where there is one, and returns H x.
    ///
    /// Rows are divided into a fixed number of runs of equal work, each with its own sum, and the sums are added in order: the
    /// bits do not depend on the number of threads.
    mutating func product(_ x: [Double], after change: Change?, threads: Int) -> [Double] {
        let order = order
        precondition(x.count == order)
        if elements.isEmpty { allocateIdentity() }
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
                ThreadTeam.computing.perform(iterations: workers) { worker in
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

    /// More than any number of threads can use: the work is limited by memory bandwidth.
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
