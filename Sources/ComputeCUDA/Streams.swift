/// A place in a stream, which others can wait for.
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

    /// The place that a stream's work has reached by now.
    func record(in stream: Driver.Handle?) throws(CUDAError) {
        try driver.check(driver.record(handle, stream), "cuEventRecord")
    }

    /// What the stream is asked from now on is done after the event.
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

/// Work that was recorded once and is launched as a whole.
final class WorkGraph {
    private let driver: Driver
    private let executable: Driver.Handle?

    /// Records what `work` asks of the device's stream; nothing of it is done yet.
    init(_ device: Device, _ work: () throws -> Void) throws {
        driver = device.driver
        // CU_STREAM_CAPTURE_MODE_RELAXED: other streams of this thread are not looked at.
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
