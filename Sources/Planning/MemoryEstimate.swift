import Fields
import Objective
import PointStore
import Runs

/// The most memory that a command holds at once, from the shapes of its buffers; an upper bound. Asked before they are
/// allocated: a Swift program whose allocation fails ends without a word of its own.
public struct MemoryEstimate: Sendable {
    public struct Part: Sendable, Equatable {
        public let name: String
        public let bytes: Int
        /// What makes it smaller; nil where no option does.
        public let remedy: String?

        public init(name: String, bytes: Int, remedy: String? = nil) {
            self.name = name
            self.bytes = bytes
            self.remedy = remedy
        }
    }

    /// Memory of the process before its buffers are made: program and libraries, and what was read.
    public let baseline: ProcessMemory
    public private(set) var parts: [Part]
    /// Points of a fixed batch; nil where no phase of the run needs one.
    public private(set) var fixedBatchPoints: Int?
    /// What threads reserve and hardly touch, as address space and as data.
    private let reserved: (mapped: Int, data: Int)
    private let threads: Int

    /// Library code that is first used after the plan is made, stacks of threads, buffers of a file that is read or written
    /// (1 MB). Measured: 3 to 6 MB of netCDF, HDF5 and OpenBLAS.
    private static let laterPages = 8 << 20
    /// Stack and malloc arena of the thread that reads ahead.
    private static let otherThreads = (mapped: (8 + 64) << 20, data: 8 << 20)

    /// - Parameters:
    ///   - threads: that will work, each of which reserves `reservedPerThread`; 0 where nothing is computed.
    public init(
        _ parts: [Part], threads: Int = 0, reservedPerThread: (mapped: Int, data: Int) = (0, 0),
        baseline: ProcessMemory = .now
    ) {
        self.parts = parts + [Part(name: "libraries at work", bytes: MemoryEstimate.laterPages)]
        self.baseline = baseline
        self.threads = threads
        let others = threads > 0 ? MemoryEstimate.otherThreads : (mapped: 0, data: 0)
        reserved = (
            threads * reservedPerThread.mapped + others.mapped, threads * reservedPerThread.data + others.data
        )
    }

    /// - Parameters:
    ///   - sizes: points of a chunk by set.
    ///   - backend: what the device allocates (`CPUBackend.memory`).
    public init(
        _ configuration: TrainingConfiguration, objective: Objective, sizes: [PointSet: Int],
        backend: [(name: String, bytes: Int)],
        threads: Int, reservedPerThread: (mapped: Int, data: Int), baseline: ProcessMemory = .now
    ) {
        let parameters = objective.residualProblem.networks.parameterCount
        let state = configuration.optimizerStateSize(parameterCount: parameters).bytes
        // Weights and gradient; the optimizer's state, and its copy in a checkpoint that is written or was read.
        let weights = 2 * 4 * parameters + 2 * state
        let history = History.byteCount(terms: objective.terms.count, iterations: configuration.iterations)
        let chunk = sizes.reduce(0) { $0 + 4 * $1.key.columns.count * $1.value }
        let needsFixedBatch = configuration.phasesReached.contains { $0.method.requiresFixedBatch }
        let network = "a smaller --network"
        let parts =
            [
                Part(name: "weights and optimizer", bytes: weights, remedy: network),
                // An array that grows is copied into one of twice its room.
                Part(
                    name: "loss history", bytes: 2 * history,
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
            + MemoryEstimate.drawing(configuration, backend: backend)
            + MemoryEstimate.sampling(configuration, objective, points: sizes.values.reduce(0, +))
        self.init(parts, threads: threads, reservedPerThread: reservedPerThread, baseline: baseline)
        fixedBatchPoints = needsFixedBatch ? configuration.stream.sampleChunks * (sizes[.collocation] ?? 0) : nil
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

    /// What methods that draw rows allocate (`SamplingOptimizer`).
    private static func sampling(_ configuration: TrainingConfiguration, _ objective: Objective, points: Int) -> [Part]
    {
        let rows = configuration.sampledRows
        guard rows > 0 else { return [] }
        // J Jᵀ, its sum while it is made, and for each of three λ a factor and its copy; a block of columns of J.
        let matrices = 8 * (8 * rows * rows + 1024 * rows)
        // Inputs and adjoints of all layers in up to six channels.
        let hidden = objective.residualProblem.networks.networks.map { $0.hiddenLayers * $0.width }.max() ?? 0
        let factors = 2 * 4 * 6 * rows * hidden
        // Outputs at all points, and their order along a curve with its keys.
        let outputs = (4 * 4 + 3 * 8) * points
        return [
            Part(name: "sampled rows", bytes: matrices + factors + outputs, remedy: "a smaller chunk in --stream")
        ]
    }

    /// What Training/AdaptiveSampling.swift allocates: nothing where points are uniform.
    private static func drawing(
        _ configuration: TrainingConfiguration, backend: [(name: String, bytes: Int)]
    ) -> [Part] {
        guard configuration.resampledPoints > 0 else { return [] }
        let evaluated = configuration.sampling.evaluated * configuration.resampledPoints
        // Points in use, the next ones and their indices among the candidates.
        let kept = 2 * ResampledPoints.byteCount(configuration.resampledPoints) + 8 * configuration.resampledPoints
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

    /// Throws where there is no room to read a file of which `bytes` are kept.
    public static func requireRoom(toRead path: String, bytes: Int) throws {
        try MemoryEstimate([Part(name: "reading \(path)", bytes: bytes)]).require()
    }

    /// Peak of resident memory [bytes].
    public var peak: Int { needed(.resident) }

    /// All parts as a limit counts them, with the process as it is and what its threads reserve.
    private func allParts(_ measure: MemoryLimit.Measure) -> [Part] {
        let (process, reservations) =
            switch measure {
            case .resident: (baseline.resident, 0)
            case .mapped: (baseline.mapped, reserved.mapped)
            case .data: (baseline.data, reserved.data)
            }
        return [
            Part(name: "program and libraries", bytes: process, remedy: nil),
            Part(
                name: "stacks and buffers of the threads", bytes: reservations,
                remedy: threads > 1 ? "fewer --threads" : nil),
        ] + parts
    }

    /// The most that a limit of this measure would see [bytes].
    public func needed(_ measure: MemoryLimit.Measure) -> Int { allParts(measure).reduce(0) { $0 + $1.bytes } }

    /// The limit that leaves the least beyond what is needed.
    public func tightest(of limits: [MemoryLimit]) -> MemoryLimit? {
        limits.min { $0.bytes - needed($0.measure) < $1.bytes - needed($1.measure) }
    }

    /// Throws where one of the limits of this process leaves less than is needed: better now than after hours.
    public func require() throws { try require(MemoryLimit.all(holding: baseline)) }

    public func require(_ limits: [MemoryLimit]) throws {
        guard let limit = tightest(of: limits), needed(limit.measure) > limit.bytes else { return }
        let space = limit.measure == .resident ? "memory" : "address space"
        let parts = allParts(limit.measure)
        let adjustable = parts.filter { $0.remedy != nil }
        // Whether options of the command could make it fit.
        let isTooMuchAsked = needed(limit.measure) - adjustable.reduce(0) { $0 + $1.bytes } <= limit.bytes
        let largest = (isTooMuchAsked ? adjustable : parts).max { $0.bytes < $1.bytes }
        throw PlainFailure(
            isTooMuchAsked ? .usage : .system,
            "needs up to \(NumberText.bytes(needed(limit.measure))) of \(space), \(limit.name) leaves \(NumberText.bytes(limit.bytes)); "
                + (largest.map { "the largest part is \($0.name), \(NumberText.bytes($0.bytes)); " } ?? "")
                + (largest?.remedy.map { "choose \($0), or raise the limit" } ?? "raise the limit"))
    }

    /// "program 33 MB, weights and optimizer 3 MB, ...": what is more than a megabyte.
    public var breakdown: String {
        allParts(.resident).filter { $0.bytes >= 1_000_000 }.map { "\($0.name) \(NumberText.bytes($0.bytes))" }
            .joined(separator: ", ")
    }
}
