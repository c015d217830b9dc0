import ArgumentParser
import Compute
import Planning

/// Where a trained network is evaluated: options of the commands that predict, and the device that they choose.
public struct DeviceOptions: ParsableArguments {
    @Option(help: "Where to compute: \(Backends.names.joined(separator: ", ")).") public var backend = "auto"
    @Option(help: "Precision of products, on a GPU or as on one: \(Backends.precisions.joined(separator: ", ")).")
    public var precision = "fp32"
    @Option(help: "Threads. (default: all cores)") public var threads: Int?

    public init() {}

    public func validate() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads: \(threads) is not from 1 to 1024")
        }
    }

    /// The device, once there is known to be room for it and for what the command makes of its outputs.
    ///
    /// - Parameters:
    ///   - points: the most that are evaluated at once.
    ///   - parts: what the command allocates besides.
    public func makeBackend(
        _ problem: ResidualProblem, points: Int, parts: [MemoryEstimate.Part]
    ) throws -> any Backend {
        let device = try Backends.memory(
            backend, problem, counts: problem.programs.map { _ in points }, threads: threads)
        let remedy = workers > 1 ? "fewer --threads" : nil
        // Every evaluation has tiles of its own besides those of the device, and gives its outputs in arrays.
        let outputs = problem.programs.map { 2 * 4 * $0.program.outputs.count * points }.max() ?? 0
        let evaluation = outputs + (device.first { $0.name == "tiles" }?.bytes ?? 0)
        try requireRoom(
            for: parts + device.map { .init(name: $0.name, bytes: $0.bytes, remedy: remedy) }
                + [.init(name: "an evaluation", bytes: evaluation, remedy: remedy)])
        return try Backends.make("\(backend):\(precision)", problem, threads: threads)
    }

    /// Throws where there is no room for buffers and for the threads of a device that has not computed yet.
    public func requireRoom(for parts: [MemoryEstimate.Part]) throws {
        try MemoryEstimate(parts, threads: workers, reservedPerThread: Backends.reservedPerThread).require()
    }

    /// More threads than cores are not made.
    private var workers: Int { min(threads ?? Backends.defaultThreads, Backends.defaultThreads) }
}
