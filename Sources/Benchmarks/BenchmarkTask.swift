import Compute
import ComputeCPU
import Foundation

/// What a process does for one row of a report. Every row runs in its own process, so that peak memory belongs to the row and
/// a row that runs out of memory does not end the others.
public enum BenchmarkTask: Codable, Sendable {
    case step(StepBenchmark)
    /// Makes a synthetic store with a number of collocation points and about a number of grid cells.
    case makeStore(path: String, collocation: Int, cells: Int)
    case stream(StreamBenchmark)
    case makeProducts(folder: String)
    case ingest(IngestBenchmark)
    case export(ExportBenchmark)

    /// Title for progress and messages.
    public var title: String {
        switch self {
        case .step(let step):
            "\(step.points) points, \(column(step.backend, step.threads, cores: CPUBackend.availableCores))"
        case .makeStore(_, let collocation, let cells): "making a store of \(collocation) points, \(cells) cells"
        case .stream(let stream):
            "streaming, \(column(stream.backend, stream.threads, cores: CPUBackend.availableCores))"
        case .makeProducts: "making the products of a synthetic shelf"
        case .ingest(let ingest): "ingest of \(ingest.points) points"
        case .export: "export"
        }
    }

    /// Runs the task (in the child) and returns the result as JSON for the parent.
    public func run(_ makeBackend: BackendMaker) throws -> Data {
        var result = TaskResult()
        switch self {
        case .step(let step): result.step = try step.run(makeBackend)
        case .makeStore(let path, let collocation, let cells):
            try SyntheticStore(collocation: collocation, cells: cells).write(to: path)
        case .stream(let stream): result.stream = try stream.run(makeBackend)
        case .makeProducts(let folder): try IngestBenchmark.makeProducts(in: folder)
        case .ingest(let ingest): result.stage = try ingest.run()
        case .export(let export): result.stage = try export.run(makeBackend)
        }
        return try JSON.encode(result)
    }

    /// Decodes the text made by `arguments`.
    public init(argument: String) throws {
        self = try JSON.decode(BenchmarkTask.self, from: Data(argument.utf8))
    }

    /// Starts this program with the task as the value of `--row` (in the parent), and waits for its result.
    public func runInChild(shouldStop: () -> Bool) throws -> TaskResult {
        let argument = String(decoding: try JSON.encode(self), as: UTF8.self)
        let reply = try ChildProcess(arguments: ["--row", argument], title: title).output(shouldStop: shouldStop)
        guard let result = try? JSON.decode(TaskResult.self, from: reply) else {
            throw BenchmarkError.badReply(title)
        }
        return result
    }
}

/// The row that a task measured, if it was a measurement.
public struct TaskResult: Codable, Sendable {
    public var step: StepRow?
    public var stream: StreamRow?
    public var stage: StageRow?
}

/// A device and its threads as named in tables: "core" where every thread has its own core, else "thread".
func column(_ backend: String, _ threads: Int?, cores: Int) -> String {
    guard let threads else { return backend }
    let unit = threads > cores ? "thread" : "core"
    return "\(backend), \(threads) \(unit)\(threads == 1 ? "" : "s")"
}
