import Glibc

/// Memory shared by a command and its reader, for the values of one hyperslab: a socket would copy them twice. System V shared
/// memory, because a file in memory is subject to the file size limit of batch systems (ulimit -f). It is marked for removal at
/// once, so it disappears with the last process that uses it, however that ends.
final class ReaderMemory {
    let number: Int32
    let values: UnsafeMutableBufferPointer<Double>

    /// Creates memory for `count` values.
    convenience init?(count: Int) {
        let number = shmget(IPC_PRIVATE, count * MemoryLayout<Double>.stride, 0o600)
        defer { shmctl(number, IPC_RMID, nil) }
        self.init(number: number, count: count)
    }

    /// Attaches memory that the other process created.
    init?(number: Int32, count: Int) {
        guard number >= 0, let address = shmat(number, nil, 0), Int(bitPattern: address) != -1 else { return nil }
        self.number = number
        values = UnsafeMutableBufferPointer(start: address.assumingMemoryBound(to: Double.self), count: count)
    }

    deinit { shmdt(values.baseAddress) }
}
