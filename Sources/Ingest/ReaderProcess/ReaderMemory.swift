import Glibc

/// Memory that a command and its reader share, for the values of one hyperslab: through a socket they would be copied
/// twice. Of System V's kind: a file in memory falls under the limit on file sizes of a batch system (ulimit -f). It is
/// marked as removed from the beginning, so that it goes with the last process that has it, however that ends.
final class ReaderMemory {
    let number: Int32
    let values: UnsafeMutableBufferPointer<Double>

    /// New memory, for so many values.
    convenience init?(count: Int) {
        let number = shmget(IPC_PRIVATE, count * MemoryLayout<Double>.stride, 0o600)
        defer { shmctl(number, IPC_RMID, nil) }
        self.init(number: number, count: count)
    }

    /// The other's memory, by its number.
    init?(number: Int32, count: Int) {
        guard number >= 0, let address = shmat(number, nil, 0), Int(bitPattern: address) != -1 else { return nil }
        self.number = number
        values = UnsafeMutableBufferPointer(start: address.assumingMemoryBound(to: Double.self), count: count)
    }

    deinit { shmdt(values.baseAddress) }
}
