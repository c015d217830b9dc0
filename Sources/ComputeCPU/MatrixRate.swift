import COpenBLAS
import Dispatch

/// The rate of OpenBLAS's own matrix product on this machine's cores: what a training step is held against, measured
/// in the same run because machines are shared.
public enum MatrixRate {
    /// Floating-point operations a second of single-precision products of 1024 x 1024 matrices, one on each of so many
    /// threads at once, over about `seconds`.
    public static func measure(threads: Int, seconds: Double) -> Double {
        _ = BLAS.configured
        let size = 1024
        let clock = ContinuousClock()
        var operations = 0.0
        let begin = clock.now
        while true {
            DispatchQueue.concurrentPerform(iterations: threads) { _ in
                let a = [Float](repeating: 0.5, count: size * size)
                let b = [Float](repeating: 0.25, count: size * size)
                var c = [Float](repeating: 0, count: size * size)
                for _ in 0..<4 {
                    c.withUnsafeMutableBufferPointer {
                        BLAS.multiply(a, stride: size, b, into: $0.baseAddress!, m: size, n: size, k: size)
                    }
                }
            }
            operations += 4 * Double(threads) * 2 * Double(size * size) * Double(size)
            let elapsed = (clock.now - begin) / .seconds(1)
            if elapsed >= seconds { return operations / elapsed }
        }
    }
}
