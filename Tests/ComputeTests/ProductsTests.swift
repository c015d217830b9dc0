import CKernels
import TestSupport
import Testing

@Suite("The products of a layer")
struct ProductsTests {
    /// Whole numbers of one digit: every sum is exact in float32, so the order of a kernel's additions does not matter.
    private func digits(_ count: Int, _ salt: Int) -> [Float] {
        (0..<count).map { Float(($0 * 37 + salt * 11 + $0 / 7) % 19 - 9) }
    }

    @Test("are those of plain loops, for every tail of the blocks", arguments: [1, 2, 5, 6, 7, 12, 13, 31, 192])
    func agree(rows: Int) {
        let panel = products_panel_width()
        for width in [panel, 3 * panel] {
            let a = digits(rows * width, 1)
            let b = digits(rows * width, 2)
            let weights = digits(width * width, 3)
            var packed = [Float](repeating: 0, count: width * width)
            for transposed in [false, true] {
                products_pack(weights, width, transposed ? 1 : 0, &packed)
                var product = [Float](repeating: .nan, count: rows * width)
                products_multiply(a, packed, rows, width, width, &product)
                for row in 0..<rows {
                    for column in 0..<width {
                        let expected = (0..<width).reduce(Float(0)) {
                            $0 + a[row * width + $1]
                                * (transposed ? weights[column * width + $1] : weights[$1 * width + column])
                        }
                        #expect(product[row * width + column] == expected)
                    }
                }
            }
            var sum = digits(width * width, 4)
            products_add_transposed(a, b, rows, width, width, &sum)
            let before = digits(width * width, 4)
            for i in 0..<width {
                for j in 0..<width {
                    let expected = (0..<rows).reduce(before[i * width + j]) {
                        $0 + a[$1 * width + i] * b[$1 * width + j]
                    }
                    #expect(sum[i * width + j] == expected)
                }
            }
        }
    }
}
