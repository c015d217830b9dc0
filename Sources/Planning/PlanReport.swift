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
    /// "given with --unit-time", how it was measured, or why it was not; nil where it was not needed.
    let unitTimeSource: String?
    /// Memory that the run takes on the GPU; nil where it would not use one.
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
        case .text, .markdown:
            tables.map { $0.rendered(as: format == .markdown ? .markdown : .text) }.joined(separator: "\n\n")
        case .json: try json()
        }
    }

    private var tables: [Table] {
        var tables = [resources, streaming, times]
        if let cluster { tables.append(cluster) }
        return tables
    }

    private var resources: Table {
        Table(
            title:
                "pinn-train, network \(configuration.network.shapes) (\(parameters) weights), \(configuration.phases), \(configuration.stream)",
            header: ["", "at most", ""],
            rows: [
                ["memory", NumberText.bytes(memory.peak), preflight]
            ]
                + (gpu.map {
                    [["gpu", NumberText.bytes($0.needed), "\($0.name) has \(NumberText.bytes($0.total))"]]
                } ?? []) + [
                    ["store", NumberText.bytes(storeBytes), "\(NumberText.plain(time.points)) collocation points"],
                    [
                        "run", NumberText.bytes(disk.run),
                        "\(RunDirectory.checkpointsKept) + 1 checkpoints of \(NumberText.bytes(disk.checkpoint)), history\(configuration.ensemble > 1 ? ", for each of \(configuration.ensemble) members" : "")",
                    ],
                ],
            notes: ["memory: \(memory.breakdown)"] + (memory.fixedBatchText.map { ["fixed batch: \($0)"] } ?? []),
            wordColumns: [0, 2])
    }

    private var streaming: Table {
        let others = time.work.equivalent - Double(time.work.collocation)
        let every = [
            "every point in every iteration", NumberText.plain(time.fullBatchVisits), NumberText.plain(time.iterations),
        ]
        let cost =
            "\(time.work.others) observations and front points in an iteration, with fewer derivatives, cost as much as \(NumberText.plain(others)) more points."
        let header = ["", "points visited", "each point"]
        guard !time.takesAllPoints else {
            return Table(
                title: "What streaming changes", header: header, rows: [every],
                notes: [
                    "Nothing: a chunk holds all \(NumberText.plain(time.points)) points, so each iteration takes all of them.",
                    cost,
                ])
        }
        return Table(
            title: "What streaming changes", header: header,
            rows: [
                every,
                [
                    "chunks of \(time.work.collocation)", NumberText.plain(time.visits),
                    NumberText.plain(time.visits / time.points),
                ],
            ],
            notes: [
                "\(NumberText.plain(time.iterations)) iterations of \(time.work.collocation) points visit \(NumberText.plain(time.visits)) points, not \(NumberText.plain(time.fullBatchVisits)): "
                    + "\(NumberText.plain(time.fullBatchVisits / time.visits)) times fewer, for as many steps of the optimizer. "
                    + "Each step sees another random sample of the points instead of all of them.",
                cost,
            ])
    }

    private var times: Table {
        var rows: [[String]] = []
        func row(_ name: String, _ unitTime: Double) -> [String] {
            [
                name, NumberText.plain(unitTime), duration(hours: time.streamedHours(unitTime)),
                duration(hours: time.fullBatchHours(unitTime)),
            ]
        }
        if let unitTime = time.unitTime { rows.append(row("this machine", unitTime)) }
        rows += time.instances.map { row("one of \($0.count)", $0.unitTime) }
        return Table(
            title:
                "Time of \(NumberText.plain(time.iterations)) iterations\(configuration.ensemble > 1 ? ", those of all \(configuration.ensemble) members" : "")",
            header: [
                "", "s per point and 1000 iterations", "streamed, as pinn-train works",
                "every point in every iteration (ETCT)",
            ], rows: rows, notes: unitTimeSource.map { ["this machine: \($0)"] } ?? [])
    }

    private var cluster: Table? {
        guard let divided = time.dividedHours, let makespan = time.makespanHours else { return nil }
        let counts = time.instances.map { "\($0.count)" }.joined(separator: " + ")
        func row(_ name: String, _ hours: Double) -> [String] {
            [name, duration(hours: hours)] + (time.hoursPerDay < 24 ? [duration(hours: time.onTheClock(hours))] : [])
        }
        return Table(
            title: "All \(counts) machines together, every point in every iteration (ETRT)",
            header: ["", "working"]
                + (time.hoursPerDay < 24 ? ["at \(NumberText.plain(time.hoursPerDay)) hours a day"] : []),
            rows: [
                row("divided arbitrarily", divided),
                row("in \(time.jobs) whole jobs of \(time.pointsPerJob) points", makespan),
            ],
            notes: [
                "A time per point is valid for jobs of the size that it was measured with; small jobs are slower on a GPU."
            ])
    }

    /// Hours, or minutes and seconds where they are few.
    private func duration(hours: Double) -> String { NumberText.duration(3600 * hours) }

    // MARK: for programs

    /// Names end in the unit: memory_bytes, etct_h. What is not known is left out.
    private func json() throws -> String {
        func instances(_ count: Int, _ unitTime: Double) -> [String: Any] {
            [
                "count": count, "unit_time_s": unitTime, "streamed_h": time.streamedHours(unitTime),
                "etct_h": time.fullBatchHours(unitTime),
            ]
        }
        let baseline: [String: Any] = ["name": "program and libraries", "bytes": memory.baseline.resident]
        let figures: [String: Any?] = [
            "network": configuration.network.shapes.description, "optimizer": configuration.phases.description,
            "stream": configuration.stream.description, "weights": parameters, "ensemble": configuration.ensemble,
            "points": time.points, "iterations": time.iterations, "memory_bytes": memory.peak,
            "memory_parts": [baseline] + memory.parts.map { ["name": $0.name, "bytes": $0.bytes] },
            "gpu_memory_bytes": gpu?.needed, "gpu_total_bytes": gpu?.total, "store_bytes": storeBytes,
            "checkpoint_bytes": disk.checkpoint, "run_bytes": disk.run, "points_visited": time.visits,
            "points_visited_full_batch": time.fullBatchVisits,
            "work_per_iteration_points": time.work.equivalent,
            "this_machine": time.unitTime.map { instances(1, $0) }, "unit_time_source": unitTimeSource,
            "instances": time.instances.map { instances($0.count, $0.unitTime) }, "jobs": time.jobs,
            "points_per_job": time.pointsPerJob, "hours_per_day": time.hoursPerDay,
            "etrt_divided_h": time.dividedHours, "etrt_whole_jobs_h": time.makespanHours,
            "etrt_divided_on_the_clock_h": time.dividedHours.map(time.onTheClock),
            "etrt_whole_jobs_on_the_clock_h": time.makespanHours.map(time.onTheClock),
        ]
        let data = try JSONSerialization.data(
            withJSONObject: figures.compactMapValues { $0 }, options: [.prettyPrinted, .sortedKeys])
        return String(decoding: data, as: UTF8.self)
    }
}

extension MemoryEstimate {
    /// "limit 23.1 GB (this machine's free memory)", or that the run would be refused.
    public func verdict(under limits: [MemoryLimit]) -> String {
        guard let limit = tightest(of: limits) else { return "no limit known" }
        let needed = needed(limit.measure)
        let space = limit.measure == .resident ? "" : " of address space, of which it needs \(NumberText.bytes(needed))"
        return needed <= limit.bytes
            ? "limit \(NumberText.bytes(limit.bytes))\(space) (\(limit.name))"
            : "would be refused here: \(limit.name) leaves \(NumberText.bytes(limit.bytes))\(space)"
    }
}
