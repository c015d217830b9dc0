/// A point in a stream's work that others can wait for (CUDA event).
final class Event {
    private let driver: Driver
    private let handle: Driver.Handle?

    /// - Parameter isTimed: whether `seconds(since:)` will be asked.
    init(_ device: Device, isTimed: Bool = false) throws(CUDAError) {
        driver = device.driver
        var handle: Driver.Handle?
        // CU_EVENT_DISABLE_TIMING.
        try driver.check(driver.createEvent(&handle, isTimed ? 0 : 2), "cuEventCreate")
        self.handle = handle
    }

    deinit { _ = driver.destroyEvent(handle) }

    /// Records the stream's present position.
    func record(in stream: Driver.Handle?) throws(CUDAError) {
        try driver.check(driver.record(handle, stream), "cuEventRecord")
    }

    /// Makes later work of the stream wait for the event.
    func delay(_ stream: Driver.Handle?) throws(CUDAError) {
        try driver.check(driver.streamWaits(stream, handle, 0), "cuStreamWaitEvent")
    }

    func wait() throws(CUDAError) {
        try driver.check(driver.waitForEvent(handle), "a kernel, or cuEventSynchronize,")
    }

    func seconds(since earlier: Event) throws(CUDAError) -> Double {
        var milliseconds: Float = 0
        try driver.check(driver.elapsedTime(&milliseconds, earlier.handle, handle), "cuEventElapsedTime")
        return Double(milliseconds) / 1000
    }
}

/// Work that is captured once and launched as a whole (CUDA graph).
final class WorkGraph {
    private let driver: Driver
    private let executable: Driver.Handle?

    /// Captures what `work` enqueues on the device's stream, without running it.
    init(_ device: Device, _ work: () throws -> Void) throws {
        driver = device.driver
        // CU_STREAM_CAPTURE_MODE_RELAXED: this thread's other streams do not matter.
        try driver.check(driver.beginCapture(device.stream, 2), "cuStreamBeginCapture")
        var graph: Driver.Handle?
        do {
            try work()
        } catch {
            _ = driver.endCapture(device.stream, &graph)
            throw error
        }
        try driver.check(driver.endCapture(device.stream, &graph), "cuStreamEndCapture")
        var executable: Driver.Handle?
        let result = driver.instantiate(&executable, graph, 0)
        _ = driver.destroyGraph(graph)
        try driver.check(result, "cuGraphInstantiate")
        self.executable = executable
    }

    deinit { _ = driver.destroyExecutable(executable) }

    func launch(on device: Device) throws(CUDAError) {
        try driver.check(driver.launchGraph(executable, device.stream), "cuGraphLaunch")
    }
}
