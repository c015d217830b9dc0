import CKernels
import TestSupport
import Testing

@Suite("The products of a layer")
struct ProductsTests {
    /// Whole numbers of one digit: every sum is exact in float32, so the order of a kernel's additions does not matter.
    private func digits(_ count: Int, _ salt: Int) -> [Float] {
        (0..<count).map { Float(($0 * 37 + salt * 11 + $0 / 7) % 19 - 9) }
    }

    /// Every instruction set of this machine, widths of one vector, of odd and even numbers of them, and of whole cache
    /// lines.
    @Test(
        "are those of plain loops, for every tail of the blocks and every instruction set",
        arguments: [1, 2, 5, 6, 7, 12, 13, 31, 96, 97, 192], 0..<tile_kernels_count())
    func agree(rows: Int, number: Int) {
        let kernels = tile_kernels_at(number)!.pointee
        for vectors in [1, 2, 3, 5, 8] {
            let width = vectors * kernels.lanes
            let stride = tile_stride(width)
            let room = (rows + kernels.block_rows) * stride
            let a = digits(room, 1)
            let b = digits(room, 2)
            let weights = digits(width * width, 3)
            var packed = [Float](repeating: 0, count: width * width)
            for transposed in [false, true] {
                kernels.pack(weights, width, transposed ? 1 : 0, &packed)
                var product = [Float](repeating: .nan, count: room)
                kernels.multiply(a, packed, rows, width, stride, &product)
                var wrong = 0
                for row in 0..<rows {
                    for column in 0..<width {
                        var expected: Float = 0
                        for k in 0..<width {
                            expected +=
                                a[row * stride + k]
                                * (transposed ? weights[column * width + k] : weights[k * width + column])
                        }
                        if product[row * stride + column] != expected { wrong += 1 }
                    }
                }
                #expect(wrong == 0, "width \(width)")
            }
            for fresh in [false, true] {
                let before = fresh ? [Float](repeating: .nan, count: width * width) : digits(width * width, 4)
                var sum = before
                kernels.add_transposed(a, b, rows, width, stride, fresh ? 1 : 0, &sum)
                var wrong = 0
                for i in 0..<width {
                    for j in 0..<width {
                        var expected = fresh ? 0 : before[i * width + j]
                        for row in 0..<rows { expected += a[row * stride + i] * b[row * stride + j] }
                        if sum[i * width + j] != expected { wrong += 1 }
                    }
                }
                #expect(wrong == 0, "width \(width)")
            }
        }
    }

    @Test("find rows an odd number of cache lines apart where they fill lines", arguments: [16, 32, 48, 64, 128, 256])
    func strides(width: Int) {
        #expect(tile_stride(width) >= width && tile_stride(width) / 16 % 2 == 1)
    }
}
