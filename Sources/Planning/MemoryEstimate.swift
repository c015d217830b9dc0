import Fields
import Objective
import PointStore
import Runs

/// The most memory that a training run holds at once, from the shapes of its buffers; an upper bound.
public struct MemoryEstimate: Sendable {
    public struct Part: Sendable, Equatable {
        public let name: String
        public let bytes: Int
        /// What makes it smaller; nil where no option does.
        public let remedy: String?
    }

    /// Memory of the process before the training's buffers are made: program and libraries.
    public let baseline: ProcessMemory
    public private(set) var parts: [Part]
    /// Points of a fixed batch; nil where no phase of the run needs one.
    public let fixedBatchPoints: Int?
    /// What threads reserve and hardly touch, as address space and as data.
    private let reserved: (mapped: Int, data: Int)

    /// Library code that is first used after the plan is made, stacks of threads, buffers of a file that is read or written
    /// (1 MB). Measured: 3 to 6 MB of netCDF, HDF5 and OpenBLAS.
    private static let laterPages = 8 << 20
    /// Stacks and malloc arenas of Dispatch's own thread and of the one that reads ahead.
    private static let otherThreads = (mapped: 2 * (8 + 64) << 20, data: 2 * 8 << 20)

    /// - Parameters:
    ///   - sizes: points of a chunk by set.
    ///   - backend: what the device allocates (`CPUBackend.memory`).
    ///   - resumes: a resumed run holds the checkpoint that it was read from until it ends.
    public init(
        _ configuration: TrainingConfiguration, objective: Objective, sizes: [PointSet: Int],
        backend: [(name: String, bytes: Int)],
        threads: Int, reservedPerThread: (mapped: Int, data: Int), resumes: Bool = false, baseline: ProcessMemory = .now
    ) {
        let parameters = objective.residualProblem.networks.parameterCount
        let state = configuration.optimizerStateBytes(parameterCount: parameters)
        // Weights and gradient; the optimizer's state, and its copy in the checkpoint.
        let weights = 2 * 4 * parameters + 2 * state + (resumes ? 4 * parameters + state : 0)
        let history = History.byteCount(terms: objective.terms.count, iterations: configuration.iterations)
        let chunk = sizes.reduce(0) { $0 + 4 * $1.key.columns.count * $1.value }
        self.baseline = baseline
        let needsFixedBatch = configuration.phasesReached.contains { $0.method.requiresFixedBatch }
        fixedBatchPoints = needsFixedBatch ? configuration.stream.sampleChunks * (sizes[.collocation] ?? 0) : nil
        let network = "a smaller --network"
        parts =
            [
                Part(
                    name: "weights and optimizer", bytes: weights, remedy: network),
                // An array that grows is copied into one of twice its room.
                Part(
                    name: "loss history", bytes: history * (resumes ? 3 : 2),
                    remedy: "fewer --iterations (--resume adds more later)"),
                // One in use, one that is read ahead.
                Part(name: "chunks", bytes: 2 * chunk, remedy: "a smaller chunk in --stream"),
            ]
            + (needsFixedBatch
                ? [
                    Part(
                        name: MemoryEstimate.fixedBatch, bytes: configuration.stream.sampleChunks * chunk,
                        remedy: "a smaller sample in --stream")
                ] : [])
            + backend.map {
                Part(
                    name: $0.name, bytes: $0.bytes,
                    remedy: $0.name == "tiles" && threads > 1 ? "fewer --threads or \(network)" : network)
            }
            + MemoryEstimate.drawing(configuration, backend: backend, resumes: resumes)
            + [Part(name: "libraries at work", bytes: MemoryEstimate.laterPages, remedy: nil)]
        reserved = (
            threads * reservedPerThread.mapped + MemoryEstimate.otherThreads.mapped,
            threads * reservedPerThread.data + MemoryEstimate.otherThreads.data
        )
    }

    private static let fixedBatch = "fixed batch"
    private var fixedBatchBytes: Int? { parts.first { $0.name == MemoryEstimate.fixedBatch }?.bytes }

    /// Whether a fixed batch stays in memory; else its chunks are read at each evaluation.
    public var keepsFixedBatch: Bool { fixedBatchBytes != nil }

    /// The same, without keeping a fixed batch where a limit leaves no room for it.
    public func fitted(to limits: [MemoryLimit]) -> MemoryEstimate {
        guard keepsFixedBatch, limits.contains(where: { needed($0.measure) > $0.bytes }) else { return self }
        var smaller = self
        smaller.parts.removeAll { $0.name == MemoryEstimate.fixedBatch }
        return smaller
    }

    /// "16384 points kept in memory (1.2 MB)"; nil where no phase of the run needs a fixed batch.
    public var fixedBatchText: String? {
        fixedBatchPoints.map { points in
            "\(points) points "
                + (fixedBatchBytes.map { "kept in memory (\(NumberText.bytes($0)))" }
                    ?? "read again at each evaluation (they do not fit in memory)")
        }
    }

    /// What Training/AdaptiveSampling.swift allocates: nothing where points are uniform.
    private static func drawing(
        _ configuration: TrainingConfiguration, backend: [(name: String, bytes: Int)], resumes: Bool
    ) -> [Part] {
        guard configuration.drawnPoints > 0 else { return [] }
        let evaluated = configuration.sampling.evaluated * configuration.drawnPoints
        // Points in use, the next ones and their indices among the candidates; those of the saved checkpoint.
        let kept =
            ResampledPoints.byteCount(configuration.drawnPoints) * (resumes ? 3 : 2) + 8 * configuration.drawnPoints
        // Candidates with a residual and a weight each; of one chunk, positions and residuals, before and after a copy.
        let candidates =
            ResampledPoints.byteCount(evaluated) + 12 * evaluated
            + ResampledPoints.byteCount(4 * configuration.stream.chunk)
        return [
            Part(name: "drawn points", bytes: kept + candidates, remedy: "a smaller sample in --stream"),
            // A second set of tiles while residuals are evaluated.
            Part(
                name: "tiles of a drawing", bytes: backend.first { $0.name == "tiles" }?.bytes ?? 0,
                remedy: "fewer --threads or a smaller --network"),
        ]
    }

    /// Room for reading a checkpoint, before its configuration is known.
    public init(reading path: String, bytes: Int, baseline: ProcessMemory = .now) {
        self.baseline = baseline
        fixedBatchPoints = nil
        parts = [
            Part(
                name: "reading \(path)", bytes: bytes + MemoryEstimate.laterPages, remedy: nil)
        ]
        reserved = (0, 0)
    }

    /// Peak of resident memory [bytes].
    public var peak: Int { needed(.resident) }

    /// All parts as a limit counts them, with the process as it is and what its threads reserve.
    private func allParts(_ measure: MemoryLimit.Measure) -> [Part] {
        let (process, threads) =
            switch measure {
            case .resident: (baseline.resident, 0)
            case .mapped: (baseline.mapped, reserved.mapped)
            case .data: (baseline.data, reserved.data)
            }
        return [
            Part(name: "program and libraries", bytes: process, remedy: nil),
            Part(name: "what threads reserve", bytes: threads, remedy: "fewer --threads"),
        ] + parts
    }

    /// The most that a limit of this measure would see [bytes].
    public func needed(_ measure: MemoryLimit.Measure) -> Int { allParts(measure).reduce(0) { $0 + $1.bytes } }

    /// The limit that leaves the least beyond what is needed.
    public func tightest(of limits: [MemoryLimit]) -> MemoryLimit? {
        limits.min { $0.bytes - needed($0.measure) < $1.bytes - needed($1.measure) }
    }

    /// Throws where a limit leaves less than is needed: better now than after hours.
    public func require(_ limits: [MemoryLimit]) throws {
        guard let limit = tightest(of: limits), needed(limit.measure) > limit.bytes else { return }
        throw PlanningError.memoryTooSmall(
            needed: needed(limit.measure), available: limit.bytes, limit: limit.name,
            isAddressSpace: limit.measure != .resident, largest: allParts(limit.measure).max { $0.bytes < $1.bytes })
    }

    /// "program 33 MB, weights and optimizer 3 MB, ...": what is more than a megabyte.
    public var breakdown: String {
        allParts(.resident).filter { $0.bytes >= 1_000_000 }.map { "\($0.name) \(NumberText.bytes($0.bytes))" }
            .joined(separator: ", ")
    }
}
