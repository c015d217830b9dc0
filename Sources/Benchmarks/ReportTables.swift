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
            "\(machine.processor), \(cores), \(NumberText.plain(Double(machine.memoryBytes) / 1e9)) GB\(name), \(date)\(load)"
    }

    private var cores: String { "\(machine.cores) \(machine.cores == 1 ? "core" : "cores")" }

    public var tables: [Table] {
        (trainingRows.isEmpty ? [] : [rawTable, unitTable, shareTable, detailTable])
            + ((jacobians ?? []).isEmpty ? [] : [jacobianTable]) + (streams.isEmpty ? [] : [streamTable])
            + (stages.isEmpty ? [] : [stageTable])
    }

    private func column(of row: any TrainingRow) -> String {
        deviceName(row.backend, row.threads, cores: machine.cores)
    }

    // MARK: Points by devices

    private func matrix(_ title: String, notes: [String], cell: (any TrainingRow) -> String) -> Table {
        let devices = unique(trainingRows.map(column(of:)))
        let rows = unique(trainingRows.map(\.pointsText)).map { points in
            [points]
                + devices.map { device in
                    trainingRows.first { $0.pointsText == points && column(of: $0) == device }.map(cell) ?? ""
                }
        }
        return Table(title: title, header: ["points"] + devices, rows: rows, notes: notes)
    }

    private var rawTable: Table {
        let times = trainingRows.map { $0.time(iterations: BenchmarkReport.iterations) }
        return matrix(
            "Time for \(NumberText.grouped(BenchmarkReport.iterations)) iterations",
            notes: times.contains { $0.isExtrapolated } ? ["~ extrapolated from the median of fewer iterations."] : []
        ) {
            let time = $0.time(iterations: BenchmarkReport.iterations)
            return (time.isExtrapolated ? "~ " : "") + NumberText.duration(time.seconds)
        }
    }

    private var unitTable: Table {
        matrix("Unit time: seconds per point and 1,000 iterations", notes: published) {
            NumberText.plain($0.measured.unitSeconds)
        }
    }

    /// Published unit times of the 8 x 128 network (Wang et al. 2025), and the rows of this report that are closest to them.
    private var published: [String] {
        let rows = steps.filter { $0.problem == Problem.shallowShelf.rawValue && $0.network == "8x128" }
        func line(_ rows: [StepRow], _ unitTime: Double, on device: String) -> String? {
            // With the most threads, if there are several.
            rows.sorted { ($0.threads ?? 0) > ($1.threads ?? 0) }.min {
                abs($0.points - 65536) < abs($1.points - 65536)
            }.map {
                "Wang et al. report \(unitTime) for 65,536 points on \(device): \(column(of: $0)) of this machine at \($0.pointsText) points is \(NumberText.plain(unitTime / $0.measured.unitSeconds)) times as fast."
            }
        }
        return [
            line(rows.filter { $0.threads != nil }, 0.0868, on: "16 cores"),
            line(rows.filter { $0.threads == nil }, 0.0014, on: "a GPU"),
        ].compactMap { $0 }
    }

    private var shareTable: Table {
        var notes = [
            "Only a step's matrix products are counted; steps and sgemm were interleaved in slices of a fraction of a second."
        ]
        if steps.contains(where: { $0.threads == nil && $0.measured.sgemmRate != nil }) {
            notes.append("A GPU's share is of cuBLAS's rate on that GPU, measured after the steps.")
        }
        if trainingRows.contains(where: { ($0.threads ?? 0) > machine.cores }) {
            notes.append(
                "With more threads than the \(cores) of this machine they share cores, and the shares mean nothing.")
        }
        return matrix("Share of the rate of OpenBLAS's sgemm on the same cores (quartiles)", notes: notes) {
            guard let share = $0.measured.share else { return "--" }
            let range = $0.measured.shareQuartiles ?? []
            return String(format: "%.2f", share)
                + (range.count == 2 ? String(format: " (%.2f-%.2f)", range[0], range[1]) : "")
        }
    }

    // MARK: Details

    private var detailTable: Table {
        let onAllCores = trainingRows.filter { row in
            !trainingRows.contains { $0.backend == row.backend && ($0.threads ?? 0) > (row.threads ?? 0) }
        }
        return Table(
            title: "In detail, with all cores",
            header: ["points", "device", "step", "points/s", "sgemm GFLOP/s", "peak memory", "steps timed"],
            rows: onAllCores.map { row in
                [
                    row.pointsText, column(of: row), NumberText.duration(row.measured.stepSeconds),
                    NumberText.plain(row.measured.pointsPerSecond),
                    row.measured.sgemmRate.map { NumberText.plain($0 / 1e9) } ?? "--",
                    NumberText.bytes(row.peakBytes), "\(row.measured.steps)",
                ]
            },
            notes: unique(trainingRows.map(\.device)).sorted() + [
                "Peak memory is that of the whole process with its libraries; every row has its own process."
            ])
    }

    private var jacobianTable: Table {
        Table(
            title: "Products of a Jacobian, in double",
            header: ["product", "device", "rows", "weights", "time", "share"],
            rows: (jacobians ?? []).map { row in
                [
                    row.product.rawValue, deviceName(row.backend, row.threads, cores: machine.cores), "\(row.rows)",
                    "\(row.weights)", NumberText.duration(row.seconds),
                    row.share.map { String(format: "%.2f", $0) } ?? "--",
                ]
            },
            notes: ["The share is of half the rate of OpenBLAS's sgemm on the same cores, interleaved."])
    }

    private var streamTable: Table {
        let rows = streams.flatMap { row in
            [("warm", row.warm), ("emptied", row.cold)].compactMap { cache, reading in
                reading.map { [cache, column(of: row)] + figures($0) }
            }
        }
        var notes = streams.prefix(1).map {
            "A store of \(NumberText.grouped($0.points)) collocation points (\(NumberText.plain(Double($0.storeBytes) / 1e9)) GB); \(NumberText.grouped($0.chunk)) of them per iteration, \(NumberText.grouped($0.pointsPerIteration)) points with data and front, as 'pinn-train --stream chunk=\($0.chunk)' takes them. The unit time above counts collocation points."
        }
        if streams.contains(where: { $0.cold == nil }) {
            notes.append("The store could not be evicted from the page cache (a file system in memory?).")
        }
        return Table(
            title: "Streamed against in memory",
            header: ["page cache", "device", "stream alone", "", "slowdown (quartiles)", "waiting for chunks"],
            rows: rows, notes: notes)
    }

    private func figures(_ reading: StreamRow.Reading) -> [String] {
        let slowdown = String(format: "%+.1f %%", 100 * reading.slowdown)
        let range = reading.slowdownQuartiles
        return [
            "\(NumberText.plain(reading.pointsPerSecond / 1e6)) M points/s",
            "\(NumberText.plain(reading.bytesPerSecond / 1e6)) MB/s",
            slowdown + (range.count == 2 ? String(format: " (%.1f to %.1f)", 100 * range[0], 100 * range[1]) : ""),
            String(format: "%.2f %%", 100 * reading.waiting),
        ]
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

/// Every value once, in the order of first appearance.
public func unique<Value: Equatable>(_ values: [Value]) -> [Value] {
    values.enumerated().filter { !values[..<$0.offset].contains($0.element) }.map(\.element)
}
