import COpenBLAS
import Threads

/// The symmetric matrix H of a quasi-Newton method: blocks of rows up to the diagonal, in single precision, and the last changes
/// in double.
///
/// It is larger than any cache, so its cost is the number of passes over it and their bytes. Changes of rank two wait until they are
/// several and are then made in the pass of a product; until then they are added to products.
package struct InverseHessian: Sendable, Equatable {
    /// H ← keep H + ww w wᵀ + sw (s wᵀ + w sᵀ) + ss s sᵀ.
    package struct Change: Sendable, Equatable {
        package var keep: Double
        package var ww: Double
        package var sw: Double
        package var ss: Double
        package var s: [Double]
        package var w: [Double]

        package init(keep: Double, ww: Double, sw: Double, ss: Double, s: [Double], w: [Double]) {
            (self.keep, self.ww, self.sw, self.ss) = (keep, ww, sw, ss)
            (self.s, self.w) = (s, w)
        }
    }

    let order: Int
    /// Block by block, each (rows, columns up to its last row) row-major. Empty: those of the identity, which takes no memory.
    private(set) var elements: [Float]
    /// Not in the elements yet, the earliest first.
    private(set) var changes: [Change]

    /// That wait at most.
    static let maxChanges = 16
    /// Rows of a block, which stays in a cache while it is changed and multiplied from both sides.
    private static let height = 16
    /// Parts of equal work, more than any number of threads can use: it is limited by memory bandwidth.
    private static let maxRuns = 16

    /// - Parameter elements: empty for the identity.
    package init(order: Int, elements: [Float] = []) {
        precondition(elements.isEmpty || elements.count == InverseHessian.elementCount(order))
        (self.order, self.elements, changes) = (order, elements, [])
    }

    /// - Parameter packed: the lower triangle row by row, in double, as checkpoints of earlier versions hold it.
    package init(order: Int, packed: [Double]) {
        self.init(order: order)
        elements = [Float](repeating: 0, count: InverseHessian.elementCount(order))
        for row in 0..<order {
            for column in 0...row {
                let value = Float(packed[row * (row + 1) / 2 + column])
                elements[InverseHessian.place(row, column, order: order)] = value
                if row / InverseHessian.height == column / InverseHessian.height {
                    elements[InverseHessian.place(column, row, order: order)] = value
                }
            }
        }
    }

    /// Where an element is, in a column before the end of its row's block.
    private static func place(_ row: Int, _ column: Int, order: Int) -> Int {
        let (block, inside) = row.quotientAndRemainder(dividingBy: height)
        return start(block) + inside * min((block + 1) * height, order) + column
    }

    static func elementCount(_ order: Int) -> Int {
        let (blocks, rest) = order.quotientAndRemainder(dividingBy: height)
        return start(blocks) + rest * order
    }

    private static func start(_ block: Int) -> Int { height * height * block * (block + 1) / 2 }

    package mutating func change(by change: Change) { changes.append(change) }

    /// H x.
    ///
    /// Blocks are divided into a fixed number of runs, each with its own sum, and the sums are added in order: the bits do not
    /// depend on the number of threads.
    package mutating func product(_ x: [Float], threads: Int) -> [Double] {
        precondition(x.count == order)
        let exact = x.map(Double.init)
        if changes.count >= InverseHessian.maxChanges {
            if elements.isEmpty { allocateIdentity() }
            let made = ChangeProducts(changes, order: order)
            changes = []
            return pass(x, making: made, threads: threads)
        }
        // Not as an argument: that would copy the matrix.
        let product = elements.isEmpty ? exact : pass(x, making: nil, threads: threads)
        return withChanges(product, of: exact)
    }

    /// Adds what the waiting changes contribute to a product with x.
    private func withChanges(_ product: [Double], of x: [Double]) -> [Double] {
        changes.reduce(product) { result, change in
            let (sx, wx) = (Vectors.dot(change.s, x), Vectors.dot(change.w, x))
            let (alongS, alongW) = (change.ss * sx + change.sw * wx, change.sw * sx + change.ww * wx)
            return result.indices.map {
                change.keep * result[$0] + (alongS * change.s[$0] + alongW * change.w[$0])
            }
        }
    }

    private mutating func allocateIdentity() {
        elements = [Float](repeating: 0, count: InverseHessian.elementCount(order))
        for row in 0..<order { elements[InverseHessian.place(row, row, order: order)] = 1 }
    }

    /// One pass over the elements: changes them, and multiplies.
    private mutating func pass(_ x: [Float], making changes: ChangeProducts?, threads: Int) -> [Double] {
        let order = order
        let blocks = (order + InverseHessian.height - 1) / InverseHessian.height
        let runs = min(InverseHessian.maxRuns, blocks)
        let bounds = (0...runs).map { Int((Double($0) / Double(runs)).squareRoot() * Double(blocks)) }
        var sums = [Double](repeating: 0, count: runs * order)
        elements.withUnsafeMutableBufferPointer { elements in
            sums.withUnsafeMutableBufferPointer { sums in
                // Unchecked: a run writes its own blocks and its own sum.
                nonisolated(unsafe) let (elements, sums) = (elements.baseAddress!, sums.baseAddress!)
                let workers = min(max(threads, 1), runs)
                ThreadTeam.computing.perform(iterations: workers) { worker in
                    var scratch = [Float](repeating: 0, count: order)
                    for run in stride(from: worker, to: runs, by: workers) {
                        for block in bounds[run]..<bounds[run + 1] {
                            let first = block * InverseHessian.height
                            let rows = first..<min(first + InverseHessian.height, order)
                            let place = elements + InverseHessian.start(block)
                            changes?.make(in: place, rows)
                            InverseHessian.multiply(place, rows, x, sums + run * order, &scratch)
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

    /// Adds what a block and its mirror image contribute to a product.
    private static func multiply(
        _ block: UnsafePointer<Float>, _ rows: Range<Int>, _ x: [Float], _ sum: UnsafeMutablePointer<Double>,
        _ scratch: inout [Float]
    ) {
        let (height, width) = (blasint(rows.count), blasint(rows.upperBound))
        cblas_sgemv(CblasRowMajor, CblasNoTrans, height, width, 1, block, width, x, 1, 0, &scratch, 1)
        for (k, row) in rows.enumerated() { sum[row] += Double(scratch[k]) }
        guard rows.lowerBound > 0 else { return }
        x.withUnsafeBufferPointer {
            cblas_sgemv(
                CblasRowMajor, CblasTrans, height, blasint(rows.lowerBound), 1, block, width,
                $0.baseAddress! + rows.lowerBound, 1, 0, &scratch, 1)
        }
        for k in 0..<rows.lowerBound { sum[k] += Double(scratch[k]) }
    }
}

/// Several changes as one: H ← keep H + F V, where the rows of V are all s and w, and F (order, rows of V) follows from them and their
/// factors.
private struct ChangeProducts: Sendable {
    private let keep: Float
    private let factors: [Float]
    private let vectors: [Float]
    private let count: Int
    private let order: Int

    init(_ changes: [InverseHessian.Change], order: Int) {
        var factors = [Float](repeating: 0, count: order * 2 * changes.count)
        var keep = 1.0
        // Later changes scale earlier ones.
        for (k, change) in changes.enumerated().reversed() {
            for row in 0..<order {
                let place = row * 2 * changes.count + 2 * k
                factors[place] = Float(keep * (change.ss * change.s[row] + change.sw * change.w[row]))
                factors[place + 1] = Float(keep * (change.sw * change.s[row] + change.ww * change.w[row]))
            }
            keep *= change.keep
        }
        self.keep = Float(keep)
        self.factors = factors
        vectors = changes.flatMap { ($0.s + $0.w).map(Float.init) }
        (count, self.order) = (2 * changes.count, order)
    }

    /// Changes a block of rows up to the diagonal.
    func make(in block: UnsafeMutablePointer<Float>, _ rows: Range<Int>) {
        let width = blasint(rows.upperBound)
        factors.withUnsafeBufferPointer {
            cblas_sgemm(
                CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(rows.count), width, blasint(count), 1,
                $0.baseAddress! + rows.lowerBound * count, blasint(count), vectors, blasint(order), keep, block, width)
        }
    }
}
