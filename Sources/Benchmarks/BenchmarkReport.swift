import Fields
import Foundation
import NetCDFFiles

/// What the rows for a training step and for a streamed iteration have in common.
protocol TrainingRow {
    var backend: String { get }
    var threads: Int? { get }
    /// The backend's description: kernels, libraries.
    var device: String { get }
    var measured: StepTiming { get }
    var peakBytes: Int { get }
    /// Number of points, as the tables have it.
    var pointsText: String { get }
    /// What is measured, in a comparison.
    var title: String { get }
    func time(iterations: Int) -> (seconds: Double, isExtrapolated: Bool)
}

/// A row for a training step with its points in memory.
public struct StepRow: Codable, Sendable, Equatable, TrainingRow {
    public var problem: String
    /// Hidden layers and their width.
    public var network: String
    public var backend: String
    public var threads: Int?
    public var points: Int
    public var device: String
    public var measured: StepTiming
    public var peakBytes: Int

    var pointsText: String { NumberText.grouped(points) }
    var title: String { "\(problem) \(network), \(points) points" }

    func time(iterations: Int) -> (seconds: Double, isExtrapolated: Bool) { measured.time(iterations: iterations) }
}

/// A row for a training iteration with its points streamed from a store.
public struct StreamRow: Codable, Sendable, Equatable, TrainingRow {
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

    var pointsText: String { "\(NumberText.grouped(points)), streamed" }
    var title: String { "streamed \(network), \(points) points by \(chunk)" }

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
    private static let format = "IceShelfPINN benchmark 1"

    public var format = BenchmarkReport.format
    public var date: String
    /// `Version.text`; nil in reports of version 1.0, which did not name theirs.
    public var software: String? = Version.text
    /// The user's name for this run.
    public var label: String?
    public var machine: Machine
    public var steps: [StepRow] = []
    /// Nil in reports of version 1.0.
    public var jacobians: [JacobianRow]? = []
    public var streams: [StreamRow] = []
    public var stages: [StageRow] = []

    public var isEmpty: Bool { steps.isEmpty && (jacobians ?? []).isEmpty && streams.isEmpty && stages.isEmpty }
    var trainingRows: [any TrainingRow] { steps + streams }

    /// A report without rows.
    public init(label: String?) {
        date = Date.now.formatted(.iso8601)
        self.label = label
        machine = .here()
    }
}

// MARK: Files

extension BenchmarkReport {
    private struct Format: Decodable { let format: String }

    /// Largest size accepted; a report of a thousand rows has half a megabyte.
    private static let longest = 64 << 20

    public init(reading path: String) throws {
        let data = try BenchmarkReport.contents(of: path)
        func refuse(_ reason: String) -> PlainFailure { BenchmarkReport.refusal(path, reason) }
        if let found = try? JSON.decode(Format.self, from: data).format, found != BenchmarkReport.format {
            throw refuse("its format is \(quoted(found))")
        }
        do {
            self = try JSON.decode(BenchmarkReport.self, from: data)
        } catch DecodingError.dataCorrupted {
            throw refuse("it is not JSON")
        } catch {
            throw refuse("its fields differ")
        }
    }

    /// All bytes of a file or a pipe (a report from `git show`, say); a device may never end.
    private static func contents(of path: String) throws -> Data {
        var info = stat()
        let isAvailable = stat(path, &info) == 0
        if isAvailable, info.st_mode & S_IFMT != S_IFIFO, let kind = kindOfSpecialFile(info) {
            throw refusal(path, "it is \(kind)")
        }
        guard isAvailable, let file = FileHandle(forReadingAtPath: path),
            let data = try? file.read(upToCount: longest + 1) ?? Data()
        else {
            throw PlainFailure(
                .missingInput, "\(path): cannot read the report: \(String(cString: strerror(errno)))")
        }
        guard data.count <= longest else { throw refusal(path, "it is far too long") }
        return data
    }

    private static func refusal(_ path: String, _ reason: String) -> PlainFailure {
        PlainFailure(
            .badData, "\(path): not a report of pinn-bench (\(reason)); give a file written by 'pinn-bench --save'")
    }

    /// Throws unless a report can be written to the path, which must be free or hold an earlier report. Changes nothing.
    public static func checkWritable(_ path: String) throws {
        try AtomicFile(replacing: target(of: path)).discard()
    }

    public func write(to path: String) throws {
        let text = try JSON.text(self) + "\n"
        try AtomicFile.write(Array(text.utf8), to: BenchmarkReport.target(of: path), as: "the report")
    }

    /// The path to write a report to: symbolic links are resolved, so that they are kept.
    private static func target(of path: String) throws -> String {
        var info = stat()
        // What is not there yet needs a folder that can be written, which AtomicFile checks.
        guard lstat(path, &info) == 0 else { return path }
        func refuse(_ reason: String) -> PlainFailure {
            PlainFailure(.usage, "\(path): \(reason), so it is not replaced; choose another name with --save")
        }
        guard stat(path, &info) == 0, let resolved = realpath(path, nil) else {
            throw refuse("is a dangling symbolic link")
        }
        defer { free(resolved) }
        if let kind = kindOfSpecialFile(info) { throw refuse("is \(kind)") }
        // Reports of other format versions may be replaced too.
        guard let data = try? contents(of: path), let found = try? JSON.decode(Format.self, from: data).format,
            found.hasPrefix("IceShelfPINN benchmark")
        else { throw refuse("exists and is not a report of pinn-bench") }
        guard access(path, W_OK) == 0 else {
            throw PlainFailure(.inputOutput, "\(path): cannot write: \(String(cString: strerror(errno)))")
        }
        return String(cString: resolved)
    }
}

/// The JSON style of reports: snake_case names, ISO dates, sorted keys.
public enum JSON {
    public static func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    public static func decode<Value: Decodable>(_ type: Value.Type, from data: Data) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: data)
    }
}
