import Export
import Fields
import ForwardModel
import Ingest
import Logging
import NetCDFFiles
import Optimizers
import Planning
import PointStore
import Runs

extension BenchmarkTask {
    func makeProducts() throws {
        let shelf = try ShelfCatalog.shelf(named: "wedge")
        _ = try ProductWriter(ShelfSurvey(SolvedShelf(shelf, spacing: 500))).write(folder: path, name: "bench")
    }

    /// Ingest of the synthetic shelf's products to a store of many collocation points: all of pinn-ingest except its options.
    func timeIngest() throws -> StageRow {
        var request = IngestRequest(velocity: "\(path)/bench_velocity_measures.nc")
        request.thickness = "\(path)/bench_bedmachine_v2.nc"
        request.points = points
        request.store = "\(path)/ingested.nc"
        let silent = Logger(label: "pinn-bench") { _ in SwiftLogNoOpLogHandler() }
        return try row(unit: "points", note: "the synthetic shelf of pinn-sample") {
            let report = try IngestRun(request, log: silent).run()
            return (report.counts.values.reduce(0, +), report.storeBytes)
        }
    }

    /// A prediction on all cells of a store's grid: all of pinn-export except its options. Untrained weights take the same time.
    func timeExport(_ makeBackend: BackendMaker) throws -> StageRow {
        let reader = try StoreReader(path: path)
        var configuration = TrainingConfiguration()
        configuration.store = path
        configuration.network = try NetworkConfiguration(parsing: network)
        let checkpoint = Checkpoint(
            configuration: configuration, iteration: 0,
            parameters: configuration.networks.initialParameters(seed: 0),
            optimizer: StoredArrays(), history: History(termNames: []),
            storeFingerprint: reader.fingerprint, backend: "none", trainedSeconds: 0)
        let model = try Prediction(checkpoint, store: reader) { try makeBackend(backend, $0, threads) }
        let writer = try PredictionWriter(model, gridNames: nil, command: "pinn-bench")
        let output = "\(path).prediction"
        return try row(unit: "cells", note: "network \(network), \(model.backend.parallelism)") {
            try writer.write(to: output) { _ in }
            return (writer.cellCount, try regularFileBytes(output))
        }
    }

    /// Repeats a stage for about `seconds` seconds, at least once.
    private func row(unit: String, note: String, _ run: () throws -> (count: Int, fileBytes: Int)) rethrows -> StageRow
    {
        let clock = ContinuousClock()
        let begin = clock.now
        var times: [Double] = []
        var made = (count: 0, fileBytes: 0)
        repeat {
            times.append(try clock.measure { made = try run() } / .seconds(1))
        } while (clock.now - begin) / .seconds(1) < seconds
        return StageRow(
            stage: work.rawValue, unit: unit, count: made.count, fileBytes: made.fileBytes, runs: times.count,
            seconds: times.median ?? 0, peakBytes: ProcessMemory.peakBytes, note: note)
    }
}
