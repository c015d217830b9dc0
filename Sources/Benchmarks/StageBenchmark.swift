import Compute
import Export
import Fields
import ForwardModel
import Glibc
import Ingest
import Logging
import Optimizers
import Planning
import PointStore
import Runs

/// Ingest of the synthetic shelf's products to a store of many collocation points: all of pinn-ingest except its options.
public struct IngestBenchmark: Codable, Sendable {
    public var folder: String
    public var points: Int
    public var seconds: Double

    public init(folder: String, points: Int, seconds: Double) {
        self.folder = folder
        self.points = points
        self.seconds = seconds
    }

    /// Makes the products in the folder. This runs in a separate process, so that the solver's memory does not count as
    /// ingest's.
    public static func makeProducts(in folder: String) throws {
        let shelf = try ShelfCatalog.shelf(named: "wedge")
        _ = try ProductWriter(ShelfSurvey(SolvedShelf(shelf, spacing: 500))).write(folder: folder, name: "bench")
    }

    public func run() throws -> StageRow {
        var request = IngestRequest(velocity: "\(folder)/bench_velocity_measures.nc")
        request.thickness = "\(folder)/bench_bedmachine_v2.nc"
        request.points = points
        request.store = "\(folder)/ingested.nc"
        var report: IngestReport?
        let silent = Logger(label: "pinn-bench") { _ in SwiftLogNoOpLogHandler() }
        let times = try timed(seconds: seconds) { report = try IngestRun(request, log: silent).run() }
        return StageRow(
            stage: "ingest", unit: "points", count: report?.counts.values.reduce(0, +) ?? 0,
            fileBytes: report?.storeBytes ?? 0,
            runs: times.count, seconds: times.median ?? 0, peakBytes: ProcessMemory.peakBytes,
            note: "the synthetic shelf of pinn-sample")
    }
}

/// A prediction on all cells of a store's grid: all of pinn-export except its options. Untrained weights take the same time.
public struct ExportBenchmark: Codable, Sendable {
    public var network = "8x128"
    public var store: String
    public var prediction: String
    public var backend: String
    public var threads: Int?
    public var seconds: Double

    public init(store: String, prediction: String, backend: String, threads: Int?, seconds: Double) {
        self.store = store
        self.prediction = prediction
        self.backend = backend
        self.threads = threads
        self.seconds = seconds
    }

    public func run(_ makeBackend: BackendMaker) throws -> StageRow {
        let reader = try StoreReader(path: store)
        var configuration = TrainingConfiguration()
        configuration.store = store
        configuration.network = try NetworkConfiguration(parsing: network)
        let checkpoint = Checkpoint(
            configuration: configuration, iteration: 0,
            parameters: configuration.networks.initialParameters(seed: 0),
            optimizer: StoredArrays(), history: History(termNames: []),
            storeFingerprint: reader.fingerprint, backend: "none", trainedSeconds: 0)
        let model = try Prediction(checkpoint, store: reader) { try makeBackend(backend, $0, threads) }
        let writer = try PredictionWriter(model, gridNames: nil, command: "pinn-bench")
        let times = try timed(seconds: seconds) { try writer.write(to: prediction) { _ in } }
        var info = stat()
        let bytes = stat(prediction, &info) == 0 ? Int(info.st_size) : 0
        return StageRow(
            stage: "export", unit: "cells", count: writer.cellCount, fileBytes: bytes, runs: times.count,
            seconds: times.median ?? 0, peakBytes: ProcessMemory.peakBytes,
            note: "network \(network), \(model.backend.parallelism)")
    }
}

/// Repeats `run` for about `seconds` seconds, at least once, and returns the time of each run.
private func timed(seconds: Double, _ run: () throws -> Void) rethrows -> [Double] {
    let clock = ContinuousClock()
    let begin = clock.now
    var times: [Double] = []
    repeat {
        times.append(try clock.measure(run) / .seconds(1))
    } while (clock.now - begin) / .seconds(1) < seconds
    return times
}
