import Fields
import Compute
import ComputeCPU
import Foundation

/// Makes a device by name for a problem; only the command knows which there are. Nil threads: all cores.
public typealias BackendMaker = (_ name: String, _ residualProblem: ResidualProblem, _ threads: Int?) throws ->
    any Backend

/// What a process does for one row of a report. Every row runs in its own process, so that peak memory belongs to the row and
/// a row that runs out of memory does not end the others.
public struct BenchmarkTask: Codable, Sendable {
    public enum Work: String, Codable, Sendable {
        case step, jacobian, stream, ingest, export
        /// Makes a synthetic store of `points` collocation points and about `cells` grid cells.
        case makeStore
        /// Makes the products for ingest, in a process of its own, so that the solver's memory does not count as ingest's.
        case makeProducts
    }

    public var work = Work.step
    public var problem = Problem.shallowShelf
    public var network = "8x128"
    public var subdomains = "1x1"
    public var fourier = "none"
    /// Points of a step or of a streamed iteration, collocation points that ingest writes.
    public var points = 0
    public var cells = 0
    public var backend = "cpu"
    /// Nil if the device has no choice of threads.
    public var threads: Int?
    /// Approximate duration of the measurement [s]; rows with long steps take longer.
    public var seconds = 5.0
    /// The store that is made or read, or the folder of the products.
    public var path = ""

    public init() {}

    /// Title for progress and messages.
    public var title: String {
        let device = deviceName(backend, threads, cores: CPUBackend.availableCores)
        return switch work {
        case .step: "\(points) points, \(device)"
        case .jacobian: "products of a Jacobian of \(network), \(device)"
        case .stream: "streaming, \(device)"
        case .ingest: "ingest of \(points) points"
        case .export: "export"
        case .makeStore: "making a store of \(points) points, \(cells) cells"
        case .makeProducts: "making the products of a synthetic shelf"
        }
    }

    /// Runs the task (in the child).
    public func run(_ makeBackend: BackendMaker) throws -> TaskResult {
        var result = TaskResult()
        switch work {
        case .step: result.step = try timeSteps(makeBackend)
        case .jacobian: result.jacobian = try timeJacobian(makeBackend)
        case .stream: result.stream = try StreamBenchmark(self, makeBackend).run()
        case .ingest: result.stage = try timeIngest()
        case .export: result.stage = try timeExport(makeBackend)
        case .makeStore: try SyntheticStore(collocation: points, cells: cells).write(to: path)
        case .makeProducts: try makeProducts()
        }
        return result
    }

    /// Starts this program with the task as the value of `--row` (in the parent), and waits for its result.
    ///
    /// - Parameter check: polled; stops the work by throwing.
    public func runInChild(check: () throws -> Void) throws -> TaskResult {
        let (reply, status) = try outputOfChild(["--row", JSON.text(self)], check: check)
        let (signal, code) = (status & 0x7f, status >> 8 & 0xff)
        guard signal == 0 else {
            let reason = signal == SIGKILL ? ", as the kernel does when memory runs out" : ""
            throw PlainFailure(
                .software, "\(title): its process was killed by signal \(signal)\(reason); use fewer --points")
        }
        guard code == 0 else {
            throw PlainFailure(
                BenchmarkTask.kinds[code] ?? .software,
                "\(title): its process ended with status \(code); see its message above")
        }
        return try JSON.decode(TaskResult.self, from: reply)
    }

    /// What the status of a process says of its failure.
    private static let kinds: [Int32: FailureKind] = [
        64: .usage, 65: .badData, 66: .missingInput, 69: .unavailable, 71: .system, 74: .inputOutput,
    ]
}

/// The row that a task measured, if it was a measurement.
public struct TaskResult: Codable, Sendable {
    public var step: StepRow?
    public var jacobian: [JacobianRow]?
    public var stream: StreamRow?
    public var stage: StageRow?
}

/// A device and its threads as named in tables: "core" where every thread has its own core, else "thread".
func deviceName(_ backend: String, _ threads: Int?, cores: Int) -> String {
    guard let threads else { return backend }
    let unit = threads > cores ? "thread" : "core"
    return "\(backend), \(threads) \(unit)\(threads == 1 ? "" : "s")"
}
