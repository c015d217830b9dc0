import Compute
import Fields
import Foundation
import Runs

/// What a run would take, for a person or a program to read.
public struct PlanReport: Sendable {
    let configuration: TrainingConfiguration
    let parameters: Int
    let memory: MemoryEstimate
    let disk: DiskEstimate
    let storeBytes: Int
    let time: TimeEstimate
    /// "given with --unit-time", on what it was measured, or why it was not; nil where nobody asked.
    let unitTimeSource: String?
    /// What the GPU would hold; nil: the run would be computed on none.
    let gpu: DeviceMemory?
    /// Whether this machine would start the run, and the limit that decides.
    let preflight: String

    public init(
        configuration: TrainingConfiguration, parameters: Int, memory: MemoryEstimate, disk: DiskEstimate,
        storeBytes: Int, time: TimeEstimate,
        unitTimeSource: String?, limits: [MemoryLimit], gpu: DeviceMemory? = nil
    ) {
        self.configuration = configuration
        self.parameters = parameters
        self.memory = memory
        self.disk = disk
        self.storeBytes = storeBytes
        self.time = time
        self.unitTimeSource = unitTimeSource
        self.gpu = gpu
        preflight = memory.verdict(under: limits)
    }

    public func rendered(as format: ReportFormat) throws -> String {
        switch format {
        case .text, .markdown: tables.map { $0.rendered(asMarkdown: format == .markdown) }.joined(separator: "\n\n")
        case .json: try json()
        }
    }

    private var tables: [PlanTable] {
        var tables = [resources, streaming, times]
        if let mixture { tables.append(mixture) }
        return tables
    }

    private var resources: PlanTable {
        PlanTable(
            title:
                "pinn-train, network \(configuration.network) (\(parameters) weights), \(configuration.optimizer), \(configuration.stream.description)",
            header: ["", "at most", ""],
            rows: [
                ["memory", Figure.bytes(memory.peak), preflight]
            ]
                + (gpu.map {
                    [["gpu", Figure.bytes($0.needed), "\($0.name) has \(Figure.bytes($0.total))"]]
                } ?? []) + [
                    ["store", Figure.bytes(storeBytes), "\(Figure.plain(time.points)) collocation points"],
                    [
                        "run", Figure.bytes(disk.run),
                        "\(RunDirectory.checkpointsKept) + 1 checkpoints of \(Figure.bytes(disk.checkpoint)), history\(configuration.ensemble > 1 ? ", for each of \(configuration.ensemble) members" : "")",
                    ],
                ], notes: ["memory: \(memory.breakdown)"])
    }

    private var streaming: PlanTable {
        let others = time.work.equivalent - Double(time.work.collocation)
        let every = [
            "every point in every iteration", Figure.plain(time.fullBatchVisits), Figure.plain(time.iterations),
        ]
        let cost =
            "\(time.work.others) observations and front points an iteration, with fewer derivatives, cost as much as \(Figure.plain(others)) points more."
        let header = ["", "points visited", "each point"]
        guard !time.takesAllPoints else {
            return PlanTable(
                title: "What streaming changes", header: header, rows: [every],
                notes: [
                    "Nothing: a chunk holds all \(Figure.plain(time.points)) points, so each iteration takes all of them.",
                    cost,
                ])
        }
        return PlanTable(
            title: "What streaming changes", header: header,
            rows: [
                every,
                [
                    "chunks of \(time.work.collocation)", Figure.plain(time.visits),
                    Figure.plain(time.visits / time.points),
                ],
            ],
            notes: [
                "\(Figure.plain(time.iterations)) iterations of \(time.work.collocation) points visit \(Figure.plain(time.visits)) points, not \(Figure.plain(time.fullBatchVisits)): "
                    + "\(Figure.plain(time.fullBatchVisits / time.visits)) times fewer, for as many steps of the optimizer. "
                    + "Each step sees another random sample of the points instead of all of them.",
                cost,
            ])
    }

    private var times: PlanTable {
        var rows: [[String]] = []
        func row(_ name: String, _ unitTime: Double) -> [String] {
            [
                name, Figure.plain(unitTime), Figure.hours(time.streamedHours(unitTime)),
                Figure.hours(time.fullBatchHours(unitTime)),
            ]
        }
        if let unitTime = time.unitTime { rows.append(row("this machine", unitTime)) }
        rows += time.instances.map { row("one of \($0.count)", $0.unitTime) }
        return PlanTable(
            title:
                "Time of \(Figure.plain(time.iterations)) iterations\(configuration.ensemble > 1 ? ", those of all \(configuration.ensemble) members" : "")",
            header: [
                "", "s per point and 1000 iterations", "streamed, as pinn-train works",
                "every point in every iteration (ETCT)",
            ], rows: rows, notes: unitTimeSource.map { ["unit time of this machine: \($0)"] } ?? [])
    }

    private var mixture: PlanTable? {
        guard let divided = time.dividedHours, let makespan = time.makespanHours else { return nil }
        let counts = time.instances.map { "\($0.count)" }.joined(separator: " + ")
        func row(_ name: String, _ hours: Double) -> [String] {
            [name, Figure.hours(hours)] + (time.hoursPerDay < 24 ? [Figure.hours(time.onTheClock(hours))] : [])
        }
        return PlanTable(
            title: "All \(counts) instances together, every point in every iteration (ETRT)",
            header: ["", "working"]
                + (time.hoursPerDay < 24 ? ["at \(Figure.plain(time.hoursPerDay)) hours a day"] : []),
            rows: [
                row("divided at will", divided),
                row("in \(time.jobs) whole jobs of \(time.pointsPerJob) points", makespan),
            ],
            notes: [
                "A unit time holds for the points of a job that it was measured with; small jobs are slower on a GPU."
            ])
    }

    // MARK: for programs

    /// Names are written in snake case and end in the unit: memory_bytes, etct_h.
    private struct Figures: Encodable {
        struct Part: Encodable {
            let name: String
            let bytes: Int
        }
        struct Instances: Encodable {
            let count: Int
            let unitTimeS: Double
            let streamedH: Double
            let etctH: Double
        }
        let network: String
        let optimizer: String
        let stream: String
        let weights: Int
        let ensemble: Int
        let points: Double
        let iterations: Double
        let memoryBytes: Int
        let memoryParts: [Part]
        let gpuMemoryBytes: Int?
        let gpuTotalBytes: Int?
        let storeBytes: Int
        let checkpointBytes: Int
        let runBytes: Int
        let pointsVisited: Double
        let pointsVisitedFullBatch: Double
        let workPerIterationPoints: Double
        let thisMachine: Instances?
        let unitTimeSource: String?
        let instances: [Instances]
        let jobs: Int
        let pointsPerJob: Int
        let hoursPerDay: Double
        let etrtDividedH: Double?
        let etrtWholeJobsH: Double?
        let etrtDividedOnTheClockH: Double?
        let etrtWholeJobsOnTheClockH: Double?
    }

    private func json() throws -> String {
        func instances(_ count: Int, _ unitTime: Double) -> Figures.Instances {
            Figures.Instances(
                count: count, unitTimeS: unitTime, streamedH: time.streamedHours(unitTime),
                etctH: time.fullBatchHours(unitTime))
        }
        let figures = Figures(
            network: configuration.network, optimizer: configuration.optimizer,
            stream: configuration.stream.description, weights: parameters,
            ensemble: configuration.ensemble, points: time.points, iterations: time.iterations,
            memoryBytes: memory.peak,
            memoryParts: [Figures.Part(name: "program and libraries", bytes: memory.held.resident)]
                + memory.parts.map { Figures.Part(name: $0.name, bytes: $0.bytes) },
            gpuMemoryBytes: gpu?.needed, gpuTotalBytes: gpu?.total,
            storeBytes: storeBytes, checkpointBytes: disk.checkpoint, runBytes: disk.run,
            pointsVisited: time.visits, pointsVisitedFullBatch: time.fullBatchVisits,
            workPerIterationPoints: time.work.equivalent, thisMachine: time.unitTime.map { instances(1, $0) },
            unitTimeSource: unitTimeSource, instances: time.instances.map { instances($0.count, $0.unitTime) },
            jobs: time.jobs,
            pointsPerJob: time.pointsPerJob, hoursPerDay: time.hoursPerDay, etrtDividedH: time.dividedHours,
            etrtWholeJobsH: time.makespanHours, etrtDividedOnTheClockH: time.dividedHours.map(time.onTheClock),
            etrtWholeJobsOnTheClockH: time.makespanHours.map(time.onTheClock))
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return String(decoding: try encoder.encode(figures), as: UTF8.self)
    }
}

extension MemoryEstimate {
    /// "may use 23.1 GB (this machine's free memory)", or that the run would be refused.
    public func verdict(under limits: [MemoryLimit]) -> String {
        guard let limit = tightest(of: limits) else { return "no limit known" }
        let needed = needed(limit.measure)
        let space = limit.measure == .resident ? "" : " of address space, of which it needs \(Figure.bytes(needed))"
        return needed <= limit.bytes
            ? "may use \(Figure.bytes(limit.bytes))\(space) (\(limit.name))"
            : "would be refused here: \(limit.name) leaves \(Figure.bytes(limit.bytes))\(space)"
    }
}
