import Fields
import Foundation
import NetCDFFiles

/// A row for a training step with its points in memory.
public struct StepRow: Codable, Sendable, Equatable {
    public let problem: String
    /// Hidden layers and their width.
    public let network: String
    public let backend: String
    public let threads: Int?
    public let points: Int
    /// The backend's description: kernels, libraries.
    public let device: String
    public let measured: StepTiming
    public let peakBytes: Int

    public init(
        problem: String, network: String, backend: String, threads: Int?, points: Int, device: String,
        measured: StepTiming, peakBytes: Int
    ) {
        self.problem = problem
        self.network = network
        self.backend = backend
        self.threads = threads
        self.points = points
        self.device = device
        self.measured = measured
        self.peakBytes = peakBytes
    }
}

/// A row for a training iteration with its points streamed from a store.
public struct StreamRow: Codable, Sendable, Equatable {
    /// Figures for reading from the page cache, or from the disk.
    public struct Reading: Codable, Sendable, Equatable {
        /// Rate of the stream alone, without computation.
        public var pointsPerSecond: Double
        public var bytesPerSecond: Double
        /// A streamed iteration relative to the same with its points in memory, interleaved: median of the ratios minus 1, and
        /// their quartiles.
        public var slowdown: Double
        public var slowdownQuartiles: [Double]
        /// Share of an iteration spent waiting for its chunk.
        public var waiting: Double
    }

    public var network: String
    public var backend: String
    public var threads: Int?
    public var device: String
    /// Collocation points of the store.
    public var points: Int
    public var storeBytes: Int
    /// Collocation points per iteration, and points of all sets per iteration.
    public var chunk: Int
    public var pointsPerIteration: Int
    /// Time of a streamed iteration with a warm page cache; its unit time counts collocation points.
    public var measured: StepTiming
    public var warm: Reading
    /// Nil if the store could not be evicted from the page cache.
    public var cold: Reading?
    public var peakBytes: Int

    /// Time of `iterations` passes over the whole store, each with as many steps as the store has chunks.
    public func time(iterations: Int) -> (seconds: Double, isExtrapolated: Bool) {
        measured.time(iterations: max(1, points / chunk) * iterations)
    }
}

/// A row for a stage other than training.
public struct StageRow: Codable, Sendable, Equatable {
    /// "ingest" or "export".
    public var stage: String
    /// What `count` counts: "points" or "cells".
    public var unit: String
    public var count: Int
    public var fileBytes: Int
    public var runs: Int
    /// Median over the runs [s].
    public var seconds: Double
    public var peakBytes: Int
    /// A remark such as "8x128 network, 2 threads"; may be empty.
    public var note: String

    public var perSecond: Double { Double(count) / seconds }
    public var bytesPerSecond: Double { Double(fileBytes) / seconds }
}

/// The results of a run of pinn-bench, which `--save` writes and `--compare` reads.
public struct BenchmarkReport: Codable, Sendable, Equatable {
    public static let format = "IceShelfPINN benchmark 1"

    public var format = BenchmarkReport.format
    public var date: String
    /// `Version.text`; nil in reports of version 1.0, which did not name theirs.
    public var software: String? = Version.text
    /// The user's name for this run.
    public var label: String?
    public var machine: Machine
    public var steps: [StepRow] = []
    public var streams: [StreamRow] = []
    public var stages: [StageRow] = []

    public var isEmpty: Bool { steps.isEmpty && streams.isEmpty && stages.isEmpty }

    public init(date: String, label: String?, machine: Machine) {
        self.date = date
        self.label = label
        self.machine = machine
    }

    public init(reading path: String) throws {
        let data = try ReportFile.contents(path)
        guard !data.isEmpty else { throw BenchmarkError.badReport(path: path, reason: "it is empty") }
        if let found = ReportFile.format(of: data), found != BenchmarkReport.format {
            throw BenchmarkError.badReport(path: path, reason: "its format is \(quoted(found))")
        }
        do {
            self = try JSON.decode(BenchmarkReport.self, from: data)
        } catch DecodingError.dataCorrupted {
            throw BenchmarkError.badReport(path: path, reason: "it is not JSON")
        } catch {
            throw BenchmarkError.badReport(path: path, reason: "its fields differ")
        }
    }

    /// Throws unless a report can be written to the path, which must be free or hold an earlier report. Changes nothing.
    public static func checkWritable(_ path: String) throws { _ = try ReportFile.target(path) }

    public func write(to path: String) throws {
        let target = try ReportFile.target(path)
        let data = try JSON.encode(self) + Data("\n".utf8)
        let pending = try AtomicFile(replacing: target)
        defer { pending.discard() }
        try ReportFile.write(data, to: pending.temporaryPath, reportedAs: path)
        try pending.commit()
    }
}

/// The JSON style of reports: snake_case names, ISO dates, sorted keys.
public enum JSON {
    public static func encode(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(value)
    }

    public static func decode<Value: Decodable>(_ type: Value.Type, from data: Data) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: data)
    }
}
