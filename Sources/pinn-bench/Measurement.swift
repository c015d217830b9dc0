import Benchmarks
import CommandSupport
import ComputeCPU
import Fields
import Foundation
import NetCDFFiles

/// What a run measures: a list of tasks, each of which runs in its own process.
extension BenchCommand {
    /// - Parameter report: receives each row as soon as it is measured, so its rows are valid also if an error is thrown.
    func measure(into report: inout BenchmarkReport) throws {
        let devices = try devices()
        if what.contains(.stream), streamPoints < chunk {
            printMessage("--chunk: the store has only \(streamPoints) points, and an iteration takes all of them")
        }
        // Refuses what does not fit before the first row rather than after those that do.
        for task in tasks(on: devices, folder: "") { try task.memory().require() }
        let scratchFolder = what.allSatisfy { $0 == .step || $0 == .jacobian } ? nil : try ScratchFolder(in: scratch)
        defer { scratchFolder?.remove() }
        if let scratchFolder { try requireDisk(scratchFolder.path) }
        let tasks = tasks(on: devices, folder: scratchFolder?.path ?? "")
        for (number, task) in tasks.enumerated() {
            printMessage("\(number + 1)/\(tasks.count) \(task.title)")
            // Checked again: other processes may have taken memory since.
            try task.memory().require()
            let result = try task.runInChild(check: StopRequest.check)
            report.steps += [result.step].compactMap { $0 }
            report.jacobians = (report.jacobians ?? []) + (result.jacobian ?? [])
            report.streams += [result.stream].compactMap { $0 }
            report.stages += [result.stage].compactMap { $0 }
        }
    }

    // MARK: Devices

    /// A backend with its number of threads, if it has any: a column of the tables.
    private typealias Device = (backend: String, threads: Int?)

    /// The CPU with every number of threads, and the other devices of this machine.
    private func devices() throws -> [Device] {
        let names =
            (backend == "all" ? Backends.available : [backend])
            .map { $0 == "cuda" ? "cuda:\(precision)" : $0 }
        let residualProblem = try StepProblem(problem, network ?? BenchmarkTask().network).residualProblem
        var devices: [Device] = []
        for name in names {
            do {
                // Checks before the first row that the device exists and accepts the network.
                let made = try Backends.make(name, residualProblem, threads: 1)
                devices += made is CPUBackend ? threads.map { ("cpu", $0) } : [(name, nil)]
            } catch  where backend == "all" && name != "cpu" {
                printMessage("\(name) is skipped: \(error)")
            }
        }
        return devices
    }

    // MARK: Tasks

    /// Cells with velocity and thickness in the streamed store, as of a large shelf at 450 m.
    private static let observedCells = 1_000_000

    private func tasks(on devices: [Device], folder: String) -> [BenchmarkTask] {
        let (streamed, exported) = ("\(folder)/stream.nc", "\(folder)/export.nc")
        // Every device with the most threads.
        let wholeMachine = devices.filter { device in
            !devices.contains { $0.backend == device.backend && ($0.threads ?? 0) > (device.threads ?? 0) }
        }
        return what.flatMap { stage in
            switch stage {
            case .step:
                points.flatMap { count in devices.map { task(.step, $0, points: count) } }
            case .jacobian:
                devices.map { jacobianTask($0) }
            case .stream:
                [task(.makeStore, points: streamPoints, cells: BenchCommand.observedCells, path: streamed)]
                    + wholeMachine.map { task(.stream, $0, points: min(chunk, streamPoints), path: streamed) }
            case .ingest:
                [task(.makeProducts, path: folder), task(.ingest, points: ingestPoints, path: folder)]
            case .export:
                [task(.makeStore, points: 1024, cells: exportCells, path: exported)]
                    + wholeMachine.map { task(.export, $0, path: exported) }
            }
        }
    }

    /// Of a network that the method is for, unless another one is named.
    private func jacobianTask(_ device: Device) -> BenchmarkTask {
        var task = task(.jacobian, device, points: BenchmarkTask.jacobianPoints)
        task.network = network ?? BenchmarkTask.jacobianNetwork
        return task
    }

    private func task(
        _ work: BenchmarkTask.Work, _ device: Device = ("cpu", nil), points: Int = 0, cells: Int = 0, path: String = ""
    ) -> BenchmarkTask {
        var task = BenchmarkTask()
        task.work = work
        task.problem = problem
        task.network = network ?? task.network
        task.seconds = seconds
        task.backend = device.backend
        task.threads = device.threads
        task.points = points
        task.cells = cells
        task.path = path
        return task
    }

    // MARK: Disk

    private func requireDisk(_ folder: String) throws {
        let needed = what.map {
            switch $0 {
            case .step, .jacobian: 0
            case .stream: SyntheticStore(collocation: streamPoints, cells: BenchCommand.observedCells).byteCount
            // Two columns of 4 bytes, and some megabytes for the observations.
            case .ingest: 8 * ingestPoints + 10_000_000
            // The store, and a prediction with a dozen fields.
            case .export: 100 * exportCells
            }
        }.reduce(0, +)
        if let free = AtomicFile.freeBytes(beside: folder), free < needed {
            throw PlainFailure(
                .inputOutput,
                "\(folder): needs \(NumberText.bytes(needed)), the disk has \(NumberText.bytes(free)) left; choose another folder with --scratch, or fewer --stream-points"
            )
        }
        printMessage("\(folder): \(NumberText.bytes(needed)) needed during the run")
    }
}
