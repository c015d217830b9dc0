import Fields
import Foundation

extension BenchmarkReport {
    /// Number of iterations in the table of times.
    private static let iterations = 2000

    /// The machine in one line.
    public var heading: String {
        let load = machine.load > 0.3 ? "; other processes were running (load \(NumberText.plain(machine.load)))" : ""
        let name = label.map { ", \($0)" } ?? ""
        return
            "\(machine.processor), \(machine.cores) \(machine.cores == 1 ? "core" : "cores"), \(NumberText.plain(Double(machine.memoryBytes) / 1e9)) GB\(name), \(date)\(load)"
    }

    public var tables: [Table] {
        (steps.isEmpty && streams.isEmpty ? [] : [rawTable, unitTable, shareTable, detailTable])
            + (streams.isEmpty ? [] : [streamTable]) + (stages.isEmpty ? [] : [stageTable])
    }

    private func deviceName(_ backend: String, _ threads: Int?) -> String {
        column(backend, threads, cores: machine.cores)
    }

    // MARK: Points by devices

    private var columns: [String] {
        var names: [String] = []
        for name in steps.map({ deviceName($0.backend, $0.threads) })
            + streams.map({ deviceName($0.backend, $0.threads) })
        where !names.contains(name) {
            names.append(name)
        }
        return names
    }

    private func matrix(_ title: String, step: (StepRow) -> String, stream: (StreamRow) -> String) -> Table {
        var rows: [[String]] = []
        var counts: [Int] = []
        for row in steps where !counts.contains(row.points) { counts.append(row.points) }
        for count in counts {
            rows.append(
                [NumberText.grouped(count)]
                    + columns.map { name in
                        steps.first { $0.points == count && deviceName($0.backend, $0.threads) == name }.map(step) ?? ""
                    })
        }
        if let first = streams.first {
            rows.append(
                ["\(NumberText.grouped(first.points)), streamed"]
                    + columns.map { name in
                        streams.first { deviceName($0.backend, $0.threads) == name }.map(stream) ?? ""
                    })
        }
        return Table(title: title, header: ["points"] + columns, rows: rows)
    }

    private var rawTable: Table {
        var table = matrix(
            "Time for \(NumberText.grouped(BenchmarkReport.iterations)) iterations",
            step: { time($0.measured.time(iterations: BenchmarkReport.iterations)) },
            stream: { time($0.time(iterations: BenchmarkReport.iterations)) })
        if table.rows.contains(where: { $0.contains { $0.hasPrefix("~") } }) {
            table.notes = ["~ extrapolated from the median of fewer iterations."]
        }
        return table
    }

    private var unitTable: Table {
        var table = matrix(
            "Unit time: seconds per point and 1,000 iterations", step: { NumberText.plain($0.measured.unitSeconds) },
            stream: { NumberText.plain($0.measured.unitSeconds) })
        table.notes = [published, publishedOfGPUs].compactMap { $0 }
        return table
    }

    /// Published figures for the 8 x 128 network (Wang et al. 2025): 16 cores, 65,536 points; and one GPU.
    private static let publishedCores = 0.0868
    private static let publishedGPU = 0.0014

    private var published: String? {
        guard
            let row = steps.filter({ $0.problem == "shallow-shelf" && $0.network == "8x128" && $0.threads != nil }).min(
                by: {
                    (abs($0.points - 65536), -($0.threads ?? 0)) < (abs($1.points - 65536), -($1.threads ?? 0))
                })
        else { return nil }
        let ratio = BenchmarkReport.publishedCores / row.measured.unitSeconds
        return
            "Wang et al. report \(BenchmarkReport.publishedCores) for 65,536 points on 16 cores (\(BenchmarkReport.publishedGPU) on a GPU): \(deviceName(row.backend, row.threads)) of this machine at \(NumberText.grouped(row.points)) points is \(NumberText.plain(ratio)) times as fast."
    }

    /// The same for a GPU, against the published GPU figure.
    private var publishedOfGPUs: String? {
        guard
            let row = steps.filter({ $0.problem == "shallow-shelf" && $0.network == "8x128" && $0.threads == nil }).min(
                by: { abs($0.points - 65536) < abs($1.points - 65536) })
        else { return nil }
        let ratio = BenchmarkReport.publishedGPU / row.measured.unitSeconds
        return
            "\(deviceName(row.backend, nil)) at \(NumberText.grouped(row.points)) points is \(NumberText.plain(ratio)) times as fast as their GPU (\(BenchmarkReport.publishedGPU))."
    }

    private var shareTable: Table {
        var table = matrix(
            "Share of the rate of OpenBLAS's sgemm on the same cores (quartiles)",
            step: { share($0.measured) }, stream: { share($0.measured) })
        table.notes = [
            "Only a step's matrix products are counted; steps and sgemm were interleaved in slices of a fraction of a second."
        ]
        if steps.contains(where: { $0.threads == nil && $0.measured.sgemmRate != nil }) {
            table.notes.append("A GPU's share is of cuBLAS's rate on that GPU, measured after the steps.")
        }
        if (steps.map(\.threads) + streams.map(\.threads)).contains(where: { ($0 ?? 0) > machine.cores }) {
            table.notes.append(
                "With more threads than the \(machine.cores) \(machine.cores == 1 ? "core" : "cores") of this machine they share cores, and the shares mean nothing."
            )
        }
        return table
    }

    // MARK: Details

    private var detailTable: Table {
        // Every device with all its cores.
        let shown = steps.filter { row in
            !steps.contains { $0.backend == row.backend && ($0.threads ?? 0) > (row.threads ?? 0) }
        }
        let name = shown.first.map { deviceName($0.backend, $0.threads) } ?? columns.last ?? ""
        let devices = Set(shown.map { deviceName($0.backend, $0.threads) })
        var table = Table(
            title: devices.count > 1 ? "All cores" : "In detail: \(name)",
            header: ["points"] + (devices.count > 1 ? ["device"] : [])
                + ["step", "points/s", "sgemm GFLOP/s", "peak memory", "steps timed"], rows: [])
        for row in shown {
            table.rows.append(
                [NumberText.grouped(row.points)] + (devices.count > 1 ? [deviceName(row.backend, row.threads)] : [])
                    + details(row.measured, row.peakBytes))
        }
        for row in streams where devices.isEmpty || devices.contains(deviceName(row.backend, row.threads)) {
            table.rows.append(
                ["\(NumberText.grouped(row.points)), streamed"]
                    + (devices.count > 1 ? [deviceName(row.backend, row.threads)] : [])
                    + details(row.measured, row.peakBytes))
        }
        table.notes = Array(Set(steps.map(\.device) + streams.map(\.device))).sorted()
        table.notes.append(
            "Peak memory is that of the whole process with its libraries; every row has its own process.")
        return table
    }

    private func details(_ timing: StepTiming, _ peakBytes: Int) -> [String] {
        [
            NumberText.duration(timing.stepSeconds), NumberText.plain(timing.pointsPerSecond),
            timing.sgemmRate.map { NumberText.plain($0 / 1e9) } ?? "--", NumberText.bytes(peakBytes), "\(timing.steps)",
        ]
    }

    private var streamTable: Table {
        var table = Table(
            title: "Streamed against in memory",
            header: ["page cache", "device", "stream alone", "", "slowdown (quartiles)", "waiting for chunks"],
            rows: [])
        for row in streams {
            for (name, reading) in [("warm", row.warm as StreamRow.Reading?), ("emptied", row.cold)] {
                guard let reading else { continue }
                table.rows.append([
                    name, deviceName(row.backend, row.threads),
                    "\(NumberText.plain(reading.pointsPerSecond / 1e6)) M points/s",
                    "\(NumberText.plain(reading.bytesPerSecond / 1e6)) MB/s",
                    percent(reading.slowdown, reading.slowdownQuartiles),
                    String(format: "%.2f %%", 100 * reading.waiting),
                ])
            }
        }
        if let row = streams.first {
            table.notes.append(
                "A store of \(NumberText.grouped(row.points)) collocation points (\(NumberText.plain(Double(row.storeBytes) / 1e9)) GB); \(NumberText.grouped(row.chunk)) of them per iteration, \(NumberText.grouped(row.pointsPerIteration)) points with data and front, as 'pinn-train --stream chunk=\(row.chunk)' takes them. The unit time above counts collocation points."
            )
            if row.cold == nil {
                table.notes.append("The store could not be evicted from the page cache (a file system in memory?).")
            }
        }
        return table
    }

    private var stageTable: Table {
        Table(
            title: "Ingest and export",
            header: ["stage", "", "time", "per second", "written", "peak memory", "runs"],
            rows: stages.map { row in
                [
                    row.stage, "\(NumberText.grouped(row.count)) \(row.unit)", NumberText.duration(row.seconds),
                    "\(NumberText.plain(row.perSecond)) \(row.unit)",
                    "\(NumberText.plain(row.bytesPerSecond / 1e6)) MB/s", NumberText.bytes(row.peakBytes),
                    "\(row.runs)",
                ]
            }, notes: stages.filter { !$0.note.isEmpty }.map { "\($0.stage): \($0.note)." })
    }
}

extension Comparison {
    public var table: Table {
        func share(_ value: Double?) -> String { value.map { String(format: "%.3f", $0) } ?? "--" }
        var table = Table(
            title: "Compared with the earlier report; above 1 is better",
            header: ["row", "share before", "now", "ratio", "per second before", "now", "ratio"],
            rows: rows.map { row in
                [
                    row.name, share(row.shareBefore), share(row.shareNow),
                    row.shareRatio.map { String(format: "%.3f", $0) } ?? "--", NumberText.plain(row.rateBefore),
                    NumberText.plain(row.rateNow), String(format: "%.3f", row.rateRatio),
                ]
            })
        if rows.isEmpty { table.notes.append("No row in common with the earlier report.") }
        if let mean = meanShareRatio {
            table.notes.append(
                String(format: "Shares of the sgemm rate, now relative to before: %.3f in the geometric mean.", mean))
        }
        table.notes.append(
            "Shares are relative to sgemm measured at the same time; points per second are comparable only on one quiet machine."
        )
        if !sameProcessor { table.notes.append("The earlier report is of another machine.") }
        for change in otherDevices {
            table.notes.append("Computed differently: before '\(change.before)', now '\(change.now)'.")
        }
        if !unmatched.isEmpty { table.notes.append("Not in the earlier report: \(unmatched.joined(separator: "; ")).") }
        return table
    }
}

/// "~ 38.9 s" where it is extrapolated.
private func time(_ time: (seconds: Double, isExtrapolated: Bool)) -> String {
    (time.isExtrapolated ? "~ " : "") + NumberText.duration(time.seconds)
}

/// "0.93 (0.91-0.95)"
private func share(_ timing: StepTiming) -> String {
    guard let share = timing.share else { return "--" }
    guard let range = timing.shareQuartiles, range.count == 2 else { return String(format: "%.2f", share) }
    return String(format: "%.2f (%.2f-%.2f)", share, range[0], range[1])
}

/// "+0.4 % (-0.2 to 1.1)"
private func percent(_ part: Double, _ range: [Double]) -> String {
    let value = String(format: "%+.1f %%", 100 * part)
    return range.count == 2 ? value + String(format: " (%.1f to %.1f)", 100 * range[0], 100 * range[1]) : value
}
