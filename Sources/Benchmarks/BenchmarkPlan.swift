import Fields
import Foundation
import NetCDFFiles

/// What a run of pinn-bench measures: stages, sizes and devices. It makes the tasks, runs each in its own process, and collects
/// the report.
public struct BenchmarkPlan: Sendable {
    /// The stages that can be measured.
    public enum Stage: String, CaseIterable, Sendable {
        case step, stream, ingest, export
    }

    /// A device with its number of threads, if it has any: a column of the tables.
    public struct Device: Sendable {
        public var backend: String
        public var threads: Int?

        public init(backend: String, threads: Int?) {
            self.backend = backend
            self.threads = threads
        }
    }

    public var stages: [Stage] = [.step]
    public var problem = "shallow-shelf"
    public var network = "8x128"
    public var points = [1024, 4096, 16384, 65536, 262_144]
    public var devices: [Device] = []
    /// Approximate duration of a row [s]; rows with long steps take longer.
    public var seconds = 5.0
    /// Collocation points of the streamed store, and of an iteration.
    public var streamPoints = 100_000_000
    public var chunk = 65536
    /// Collocation points that ingest writes, and cells that export predicts.
    public var ingestPoints = 10_000_000
    public var exportCells = 1_000_000
    /// Folder for stores and products during the measurement.
    public var scratch = "."

    public init() {}

    /// 1, 2, 4, ... and all cores.
    public static func threadCounts(cores: Int) -> [Int] {
        var counts: [Int] = []
        var count = 1
        while count < cores {
            counts.append(count)
            count *= 2
        }
        return counts + [cores]
    }

    /// A report without rows.
    public static func emptyReport(label: String?) -> BenchmarkReport {
        BenchmarkReport(date: Date.now.formatted(.iso8601), label: label, machine: .here())
    }

    /// - Parameters:
    ///   - report: receives each row as soon as it is measured, so its rows are valid also if an error is thrown.
    ///   - say: prints a line for the user.
    ///   - begin: called at the start of each task with its title, its index and the number of tasks.
    ///   - shouldStop: whether the user asked to stop; polled.
    public func run(
        into report: inout BenchmarkReport, say: (String) -> Void,
        begin: (_ title: String, _ number: Int, _ count: Int) -> Void,
        shouldStop: () -> Bool
    ) throws {
        // Refuses what does not fit before the first row rather than after those that do.
        try requireMemory()
        let folder = stages == [.step] ? nil : try ScratchFolder(in: scratch)
        defer { folder?.remove() }
        if let folder { try announce(folder, say) }
        let tasks = self.tasks(folder: folder?.path ?? "")
        for (number, task) in tasks.enumerated() {
            if shouldStop() { throw BenchmarkStopped() }
            begin(task.title, number, tasks.count)
            // Checked again: other processes may have taken memory since.
            try task.memory().require()
            let result = try task.runInChild(shouldStop: shouldStop)
            if let row = result.step { report.steps.append(row) }
            if let row = result.stream { report.streams.append(row) }
            if let row = result.stage { report.stages.append(row) }
        }
    }

    /// Every device with each requested number of threads.
    private var wholeMachine: [Device] {
        devices.filter { device in
            !devices.contains { $0.backend == device.backend && ($0.threads ?? 0) > (device.threads ?? 0) }
        }
    }

    private func tasks(folder: String) -> [BenchmarkTask] {
        var tasks: [BenchmarkTask] = []
        if stages.contains(.step) {
            for count in points {
                for device in devices {
                    var step = StepBenchmark(points: count, backend: device.backend, threads: device.threads)
                    step.problem = problem
                    step.network = network
                    step.seconds = seconds
                    tasks.append(.step(step))
                }
            }
        }
        if stages.contains(.stream) {
            let store = "\(folder)/stream.nc"
            tasks.append(.makeStore(path: store, collocation: streamPoints, cells: BenchmarkPlan.observedCells))
            for device in wholeMachine {
                var stream = StreamBenchmark(
                    store: store, backend: device.backend, threads: device.threads, seconds: seconds)
                stream.network = network
                stream.chunk = chunk
                tasks.append(.stream(stream))
            }
        }
        if stages.contains(.ingest) {
            tasks.append(.makeProducts(folder: folder))
            tasks.append(.ingest(IngestBenchmark(folder: folder, points: ingestPoints, seconds: seconds)))
        }
        if stages.contains(.export) {
            let store = "\(folder)/export.nc"
            tasks.append(.makeStore(path: store, collocation: 1024, cells: exportCells))
            for device in wholeMachine {
                var export = ExportBenchmark(
                    store: store, prediction: "\(folder)/prediction.nc", backend: device.backend,
                    threads: device.threads, seconds: seconds)
                export.network = network
                tasks.append(.export(export))
            }
        }
        return tasks
    }

    // MARK: Memory

    private func requireMemory() throws {
        for task in tasks(folder: "") {
            try task.memory().require()
        }
    }

    // MARK: Disk

    /// Cells with velocity and thickness in the streamed store, as of a large shelf at 450 m.
    private static let observedCells = 1_000_000

    private func announce(_ folder: ScratchFolder, _ say: (String) -> Void) throws {
        var needed = 0
        if stages.contains(.stream) {
            needed += SyntheticStore(collocation: streamPoints, cells: BenchmarkPlan.observedCells).byteCount
        }
        // Two columns of 4 bytes, and some megabytes for the observations.
        if stages.contains(.ingest) { needed += 8 * ingestPoints + 10_000_000 }
        // The store, and a prediction with a dozen fields.
        if stages.contains(.export) { needed += 100 * exportCells }
        if let free = AtomicFile.freeBytes(beside: folder.path), free < needed {
            throw BenchmarkError.diskTooSmall(path: folder.path, needed: needed, free: free)
        }
        say("\(folder.path): \(NumberText.bytes(needed)) needed during the run")
    }
}

/// A temporary folder for the run.
struct ScratchFolder {
    let path: String

    init(in parent: String) throws {
        var template = Array("\(parent)/pinn-bench-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw BenchmarkError.unwritable(path: parent, reason: String(cString: strerror(errno)))
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}
