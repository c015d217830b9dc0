import Fields
import Foundation
import NetCDFFiles

/// What a run of pinn-bench measures: which stages, how large, on what. It makes tasks, runs each in a process of its
/// own, and gathers the report.
public struct BenchmarkPlan: Sendable {
    /// What can be measured.
    public enum Stage: String, CaseIterable, Sendable {
        case step, stream, ingest, export
    }

    /// A device and, where it has them, its threads: a column of the tables.
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
    /// About how long each row lasts; rows of long steps last longer.
    public var seconds = 5.0
    /// Collocation points of the store that is streamed, and of an iteration.
    public var streamPoints = 100_000_000
    public var chunk = 65536
    /// Collocation points that ingest writes, and cells that export predicts.
    public var ingestPoints = 10_000_000
    public var exportCells = 1_000_000
    /// Where stores lie while they are measured.
    public var scratch = "."

    public init() {}

    /// 1, 2, 4, ... and all of them.
    public static func threadCounts(cores: Int) -> [Int] {
        var counts: [Int] = []
        var count = 1
        while count < cores {
            counts.append(count)
            count *= 2
        }
        return counts + [cores]
    }

    /// A report without rows yet.
    public static func emptyReport(label: String?) -> BenchmarkReport {
        BenchmarkReport(date: ISO8601DateFormatter().string(from: Date()), label: label, machine: .here())
    }

    /// - Parameters:
    ///   - report: where rows go as they are measured; what it has when an error is thrown is whole.
    ///   - say: a line for the user.
    ///   - begin: called at the beginning of each task with its title and place, and how many there are.
    public func run(
        into report: inout BenchmarkReport, say: (String) -> Void,
        begin: (_ title: String, _ number: Int, _ count: Int) -> Void,
        shouldStop: () -> Bool
    ) throws {
        // What does not fit is told before the first row, not after those that do.
        try requireMemory()
        let folder = stages == [.step] ? nil : try ScratchFolder(in: scratch)
        defer { folder?.remove() }
        if let folder { try announce(folder, say) }
        let tasks = self.tasks(folder: folder?.path ?? "")
        for (number, task) in tasks.enumerated() {
            if shouldStop() { throw BenchmarkStopped() }
            begin(task.title, number, tasks.count)
            // Others may have taken what was free at the beginning.
            try task.memory()?.require(for: task.title)
            let result = try task.runInChild(shouldStop: shouldStop)
            if let row = result.step { report.steps.append(row) }
            if let row = result.stream { report.streams.append(row) }
            if let row = result.stage { report.stages.append(row) }
        }
    }

    /// Every device with all of the threads that are asked of it.
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

    // MARK: memory

    private func requireMemory() throws {
        for task in tasks(folder: "") {
            try task.memory()?.require(for: task.title)
        }
    }

    // MARK: disk

    /// Cells with velocity and thickness in the streamed store: those of a large shelf at 450 m.
    private static let observedCells = 1_000_000

    private func announce(_ folder: ScratchFolder, _ say: (String) -> Void) throws {
        var needed = 0
        if stages.contains(.stream) {
            needed += SyntheticStore(collocation: streamPoints, cells: BenchmarkPlan.observedCells).byteCount
        }
        // Two columns of 4 bytes; some megabytes for the shelf's own cells.
        if stages.contains(.ingest) { needed += 8 * ingestPoints + 10_000_000 }
        // The store, and a prediction of a dozen fields.
        if stages.contains(.export) { needed += 100 * exportCells }
        if let free = AtomicFile.freeBytes(beside: folder.path), free < needed {
            throw BenchmarkError.diskTooSmall(path: folder.path, needed: needed, free: free)
        }
        say("\(folder.path): \(NumberText.bytes(needed)) for the time of the run")
    }
}

/// A folder of the run's own.
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
