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

    /// What the process holds before the buffers are made: program and libraries, and what was read.
    public let held: ProcessMemory
    public let parts: [Part]
    /// What threads reserve and hardly touch, as address space and as data.
    private let reserved: (mapped: Int, data: Int)
    /// Of the error where it does not fit: `.usage` where options of the command decide how large it is.
    private let kind: FailureKind

    /// Code of libraries that is first used after the configuration is made, stacks of threads, buffers of a file that is read or
    /// written (1 MB). Measured: 3 to 6 MB of netCDF, HDF5 and OpenBLAS.
    private static let laterPages = 8 << 20
    /// Stacks, and heaps of malloc, of Dispatch's own thread and of the one that reads ahead.
    private static let otherThreads = (mapped: 2 * (8 + 64) << 20, data: 2 * 8 << 20)

    /// - Parameters:
    ///   - threads: that will work, each of which reserves `reservedPerThread`; 0 where nothing is computed.
    public init(
        _ parts: [Part], threads: Int = 0, reservedPerThread: (mapped: Int, data: Int) = (0, 0),
        kind: FailureKind = .system, held: ProcessMemory = .now
    ) {
        self.parts = parts + [Part(name: "libraries at work", bytes: MemoryEstimate.laterPages)]
        self.held = held
        self.kind = kind
        let others = threads > 0 ? MemoryEstimate.otherThreads : (mapped: 0, data: 0)
        reserved = (
            threads * reservedPerThread.mapped + others.mapped, threads * reservedPerThread.data + others.data
        )
    }

    /// - Parameters:
    ///   - sizes: points of a chunk by set.
    ///   - backend: what the device allocates (`CPUBackend.memory`).
    ///   - resumes: a run that goes on holds the checkpoint that it was read from until it ends.
    public init(
        _ configuration: TrainingConfiguration, objective: Objective, sizes: [PointSet: Int],
        backend: [(name: String, bytes: Int)],
        threads: Int, reservedPerThread: (mapped: Int, data: Int), resumes: Bool = false, held: ProcessMemory = .now
    ) throws {
        let parameters = objective.residualProblem.networks.parameterCount
        let state = try configuration.optimizerStateSize(parameterCount: parameters).bytes
        // Weights and gradient; the optimizer's state, and its copy in the checkpoint.
        let weights = 2 * 4 * parameters + 2 * state + (resumes ? 4 * parameters + state : 0)
        let history = History.byteCount(terms: objective.terms.count, iterations: configuration.iterations)
        let chunk = sizes.reduce(0) { $0 + 4 * $1.key.columns.count * $1.value }
        let network = "a smaller --network"
        let parts =
            [
                Part(name: "weights and optimizer", bytes: weights, remedy: network),
                // An array that grows is copied into one of twice its room.
                Part(
                    name: "loss history", bytes: history * (resumes ? 3 : 2),
                    remedy: "fewer --iterations (--resume adds more later)"),
                // One in use, one that is read ahead.
                Part(name: "chunks", bytes: 2 * chunk, remedy: "a smaller chunk in --stream"),
            ]
            + backend.map {
                Part(
                    name: $0.name, bytes: $0.bytes,
                    remedy: $0.name == "tiles" && threads > 1 ? "fewer --threads or \(network)" : network)
            }
            + MemoryEstimate.drawing(configuration, backend: backend, resumes: resumes)
        self.init(parts, threads: threads, reservedPerThread: reservedPerThread, kind: .usage, held: held)
    }

    /// What Training/Drawing.swift allocates: nothing where points are uniform.
    private static func drawing(
        _ configuration: TrainingConfiguration, backend: [(name: String, bytes: Int)], resumes: Bool
    ) -> [Part] {
        guard configuration.drawnPoints > 0 else { return [] }
        let evaluated = configuration.sampling.evaluated * configuration.drawnPoints
        // Those in use, the next ones and their places among the candidates; the saved checkpoint's.
        let kept =
            ResampledPoints.byteCount(configuration.drawnPoints) * (resumes ? 3 : 2) + 8 * configuration.drawnPoints
        // Candidates with a residual and a weight each; of a chunk, positions and residuals, before and after they are copied.
        let candidates =
            ResampledPoints.byteCount(evaluated) + 12 * evaluated
            + ResampledPoints.byteCount(4 * configuration.stream.chunk)
        return [
            Part(name: "drawn points", bytes: kept + candidates, remedy: "a smaller sample in --stream"),
            // Tiles of their own, as long as residuals are evaluated.
            Part(
                name: "tiles of a drawing", bytes: backend.first { $0.name == "tiles" }?.bytes ?? 0,
                remedy: "fewer --threads or a smaller --network"),
        ]
    }

    /// Throws where there is no room to read a file of which `bytes` are kept.
    public static func requireRoom(toRead path: String, bytes: Int) throws {
        try MemoryEstimate([Part(name: "reading \(path)", bytes: bytes)]).require()
    }

    /// Bytes of the buffers that are still to be made.
    public var buffers: Int { parts.reduce(0) { $0 + $1.bytes } }
    /// Peak of resident memory [bytes].
    public var peak: Int { held.resident + buffers }

    /// The most that a limit of this measure would see.
    public func needed(_ measure: MemoryLimit.Measure) -> Int {
        switch measure {
        case .resident: peak
        case .mapped: held.mapped + buffers + reserved.mapped
        case .data: held.data + buffers + reserved.data
        }
    }

    /// The part that counts most under a limit.
    private func largest(_ measure: MemoryLimit.Measure) -> Part? {
        let (held, reserved) =
            switch measure {
            case .resident: (held.resident, 0)
            case .mapped: (held.mapped, reserved.mapped)
            case .data: (held.data, reserved.data)
            }
        let all =
            [
                Part(name: "program and libraries", bytes: held),
                Part(name: "stacks and buffers of the threads", bytes: reserved, remedy: "fewer --threads"),
            ] + parts
        return all.max { $0.bytes < $1.bytes }
    }

    /// The limit that leaves the least beyond what is needed.
    public func tightest(of limits: [MemoryLimit]) -> MemoryLimit? {
        limits.min { $0.bytes - needed($0.measure) < $1.bytes - needed($1.measure) }
    }

    /// Throws where one of the limits of this process leaves less than is needed: better now than after hours.
    public func require() throws { try require(MemoryLimit.all(holding: held)) }

    public func require(_ limits: [MemoryLimit]) throws {
        guard let limit = tightest(of: limits), needed(limit.measure) > limit.bytes else { return }
        throw PlanningError.memoryTooSmall(
            needed: needed(limit.measure), available: limit.bytes, limit: limit.name,
            isAddressSpace: limit.measure != .resident, largest: largest(limit.measure), kind: kind)
    }

    /// "program 33 MB, weights and optimizer 3 MB, ...": what is more than a megabyte.
    public var breakdown: String {
        ([("program and libraries", held.resident)] + parts.map { ($0.name, $0.bytes) })
            .filter { $0.1 >= 1_000_000 }.map { "\($0.0) \(Figure.bytes($0.1))" }.joined(separator: ", ")
    }
}
