import COpenBLAS
import Synchronization
import Threads

/// The rate of OpenBLAS's matrix product on this machine's cores, with which a training step is compared; measured
/// in the same run because machines are shared.
///
/// Every thread multiplies its own matrices, 1024 x 1024 in single precision, allocated and touched once:
/// new memory for every product would lower the rate.
public final class SGEMMRate {
    public let threads: Int
    private let matrices: [Matrices]
    private static let size = 1024

    /// Three matrices of one thread: c = a · b. Only the thread that took them reads and writes them.
    private struct Matrices: @unchecked Sendable {
        let a: UnsafeMutablePointer<Float>
        let b: UnsafeMutablePointer<Float>
        let c: UnsafeMutablePointer<Float>

        init() {
            func matrix(of value: Float) -> UnsafeMutablePointer<Float> {
                let count = SGEMMRate.size * SGEMMRate.size
                let values = UnsafeMutablePointer<Float>.allocate(capacity: count)
                values.initialize(repeating: value, count: count)
                return values
            }
            a = matrix(of: 0.5)
            b = matrix(of: 0.25)
            c = matrix(of: 0)
        }

        func multiply() {
            BLAS.multiply(
                a, stride: SGEMMRate.size, b, into: c, m: SGEMMRate.size, n: SGEMMRate.size, k: SGEMMRate.size)
        }

        func deallocate() {
            for matrix in [a, b, c] { matrix.deallocate() }
        }
    }

    public init(threads: Int) {
        _ = BLAS.configured
        self.threads = threads
        matrices = (0..<threads).map { _ in Matrices() }
        _ = sample(seconds: 0)
    }

    deinit {
        for own in matrices { own.deallocate() }
    }

    /// The rate of all threads together [FLOP/s], over about `seconds` and at least one product each.
    ///
    /// Threads do not wait for each other, so one that loses its core for a while does not stop the others; each thread's rate
    /// is over its own time, from the common beginning.
    public func sample(seconds: Double) -> Double {
        let work = matrices
        let size = Double(SGEMMRate.size)
        let begin = ContinuousClock.now
        let total = Mutex(0.0)
        ThreadTeam.computing.perform(iterations: threads) { thread in
            var operations = 0.0
            var elapsed = 0.0
            repeat {
                work[thread].multiply()
                operations += 2 * size * size * size
                elapsed = (ContinuousClock.now - begin) / .seconds(1)
            } while elapsed < seconds
            total.withLock { $0 += operations / elapsed }
        }
        return total.withLock { $0 }
    }
}
