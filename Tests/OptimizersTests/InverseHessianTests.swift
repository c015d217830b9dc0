import Fields
import Optimizers
import TestSupport
import Testing

@Suite("The inverse Hessian of a quasi-Newton method")
struct InverseHessianTests {
    /// In plain loops, in double.
    private struct Plain {
        var rows: [[Double]]

        init(order: Int) { rows = (0..<order).map { i in (0..<order).map { $0 == i ? 1 : 0 } } }

        mutating func change(by c: InverseHessian.Change) {
            for i in rows.indices {
                for j in rows.indices {
                    rows[i][j] =
                        c.keep * rows[i][j] + c.ww * c.w[i] * c.w[j] + c.sw * (c.s[i] * c.w[j] + c.w[i] * c.s[j])
                        + c.ss * c.s[i] * c.s[j]
                }
            }
        }

        func product(_ x: [Float]) -> [Double] { rows.map { zip($0, x).reduce(0) { $0 + $1.0 * Double($1.1) } } }
    }

    private func numbers(_ count: Int, _ seed: Int) -> [Double] {
        (0..<count).map { unitInterval(mixed(UInt64(seed), UInt64($0))) - 0.5 }
    }

    private func change(_ order: Int, _ seed: Int) -> InverseHessian.Change {
        InverseHessian.Change(
            keep: 0.97, ww: -0.1, sw: 0.02, ss: 0.15, s: numbers(order, 2 * seed), w: numbers(order, 2 * seed + 1))
    }

    /// Orders below, at and beyond the end of a block; changes that wait, and that have been made.
    @Test("multiplies as plain loops do", arguments: [1, 15, 16, 17, 70], [0, 1, 15, 16, 17, 40])
    func products(order: Int, changes: Int) {
        var (matrix, plain) = (InverseHessian(order: order), Plain(order: order))
        let x = numbers(order, 1001).map(Float.init)
        for number in 0..<changes {
            let change = change(order, number)
            matrix.change(by: change)
            plain.change(by: change)
            if number % 3 == 0 {
                #expect(relativeError(matrix.product(x, threads: 2), plain.product(x)) < 2e-6, "\(number)")
            }
        }
        #expect(relativeError(matrix.product(x, threads: 2), plain.product(x)) < 2e-6)
    }

    @Test("has the same bits on any number of threads")
    func threads() {
        let found = [1, 2, 5, 40].map { threads in
            var matrix = InverseHessian(order: 300)
            for number in 0..<40 {
                matrix.change(by: change(300, number))
                _ = matrix.product(numbers(300, 7).map(Float.init), threads: threads)
            }
            return matrix.product(numbers(300, 8).map(Float.init), threads: threads)
        }
        #expect(found.allSatisfy { $0 == found[0] })
    }

    @Test("goes on from the packed triangle of earlier versions", arguments: [1, 16, 37])
    func packed(order: Int) {
        var plain = Plain(order: order)
        for number in 0..<5 { plain.change(by: change(order, number)) }
        var matrix = InverseHessian(order: order, packed: (0..<order).flatMap { plain.rows[$0][...$0] })
        let x = numbers(order, 9).map(Float.init)
        #expect(relativeError(matrix.product(x, threads: 1), plain.product(x)) < 2e-6)
        for number in 5..<25 {
            plain.change(by: change(order, number))
            matrix.change(by: change(order, number))
        }
        #expect(relativeError(matrix.product(x, threads: 1), plain.product(x)) < 2e-6)
    }
}
