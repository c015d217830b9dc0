import CKernels
import Glibc
import Testing

@Suite("tanh of the kernels", .serialized)
struct HyperbolicTangentTests {
    /// The value channel of a layer whose bias is −0, the number that adds to nothing: +0 would turn −0 over.
    private static func kernel(_ number: Int, _ values: [Float]) -> [Float] {
        let kernels = tile_kernels_at(number)!.pointee
        let width = (values.count + kernels.lanes - 1) / kernels.lanes * kernels.lanes
        var z = values + [Float](repeating: 0, count: width - values.count)
        var a = z
        kernels.activate(&z, [Float](repeating: -0.0, count: width), &a, 1, 1, width, width)
        // What the adjoint reads later is what was handed on.
        #expect(z.map(\.bitPattern) == a.map(\.bitPattern))
        return Array(a.prefix(values.count))
    }

    @Test(
        "is within 2.5 units in the last place of the true one over all floats, odd, and never beyond one",
        arguments: 0..<tile_kernels_count())
    func denseSweep(number: Int) {
        var largest = 0.0
        var farthest: Float = 0
        var isOdd = true
        let size = 1 << 14
        // Every 257th float from +0 to the largest finite one: all exponents, denormals included, and all low bits.
        let all = stride(from: UInt32(0), to: Float.infinity.bitPattern, by: 257)
        var iterator = all.makeIterator()
        while true {
            var values: [Float] = []
            while values.count < size, let bits = iterator.next() { values.append(Float(bitPattern: bits)) }
            if values.isEmpty { break }
            let results = Self.kernel(number, values)
            for (value, result) in zip(values, results) {
                let exact = tanh(Double(value))
                largest = max(largest, abs(Double(result) - exact) / Double(Float(exact).ulp))
                farthest = max(farthest, abs(result))
            }
            isOdd =
                isOdd
                && zip(Self.kernel(number, values.map { -$0 }), results).allSatisfy {
                    $0.bitPattern == (-$1).bitPattern
                }
        }
        // An exhaustive run over all floats finds 2.498, at ±4.5052, with and without fused multiply-add.
        #expect(largest < 2.5)
        // So that the derivative 1 − t² is never negative.
        #expect(farthest == 1)
        #expect(isOdd)
    }

    @Test("keeps zeros, denormals, infinities and NaN", arguments: 0..<tile_kernels_count())
    func specialValues(number: Int) {
        let tiny: [Float] = [
            0, -0.0, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, 100 * .leastNonzeroMagnitude,
            .leastNormalMagnitude, 1e-20, -1e-10,
        ]
        #expect(Self.kernel(number, tiny).map(\.bitPattern) == tiny.map(\.bitPattern))
        #expect(
            Self.kernel(number, [.infinity, -.infinity, .greatestFiniteMagnitude, -1e10, 20, -20]) == [
                1, -1, 1, -1, 1, -1,
            ])
        // In every lane of a vector, and with its neighbours untouched.
        for place in 0..<19 {
            var values = [Float](repeating: 0.5, count: 19)
            values[place] = .nan
            let results = Self.kernel(number, values)
            for (lane, result) in results.enumerated() {
                #expect(lane == place ? result.isNaN : abs(result - tanhf(0.5)) < 1e-7)
            }
        }
    }
}
