/// Pinned host memory, freed with its last reference.
final class PinnedMemory {
    private let driver: Driver
    let bytes: UnsafeMutableRawBufferPointer

    init(_ device: Device, bytes count: Int) throws(CUDAError) {
        driver = device.driver
        var address: UnsafeMutableRawPointer?
        try driver.check(driver.allocateHost(&address, max(count, 1), 0), "cuMemHostAlloc(\(count) bytes)")
        bytes = UnsafeMutableRawBufferPointer(start: address, count: count)
    }

    deinit { _ = driver.freeHost(bytes.baseAddress) }
}
