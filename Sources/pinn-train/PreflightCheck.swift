import CommandSupport
import Compute
import Glibc
import NetCDFFiles
import Objective
import Planning
import PointStore
import Runs

/// What a run will take of this machine, compared with what it may take before anything large is allocated: a Swift program
/// whose allocation fails dies without a word.
struct PreflightCheck {
    let memory: MemoryEstimate
    let disk: DiskEstimate
    private let limits: [MemoryLimit]
    private let free: Int?

    /// Throws where the run would not fit.
    init(
        _ configuration: TrainingConfiguration, _ store: StoreReader, _ objective: Objective, run: RunDirectory,
        backend: String, threads: Int?,
        resumes: Bool
    ) throws {
        let sizes = store.description.sizes(configuration.stream)
        let held = ProcessMemory.now
        memory = try MemoryEstimate(
            configuration, objective: objective, sizes: sizes,
            backend: try Backends.memory(
                backend, objective.residualProblem, counts: objective.sets.map { sizes[$0] ?? 0 }, threads: threads),
            // Dispatch works with no more threads than there are cores.
            threads: min(threads ?? Backends.defaultThreads, Backends.defaultThreads),
            reservedPerThread: Backends.reservedPerThread, resumes: resumes, held: held)
        disk = try DiskEstimate(configuration, objective: objective)
        limits = MemoryLimit.all(holding: held)
        // The folder of a new run is not there yet: then its parent's file system counts.
        free = AtomicFile.freeBytes(beside: run.historyPath) ?? AtomicFile.freeBytes(beside: run.path)
        try memory.require(limits)
        try disk.require(free: free, present: run.byteCount, in: run.path)
    }

    /// Room for the newest checkpoint, which says what the configuration is.
    static func requireRoom(toRead run: RunDirectory) throws {
        guard let newest = run.checkpoints.first else { return }
        var info = stat()
        guard stat(newest, &info) == 0 else { return }
        try MemoryEstimate.requireRoom(toRead: newest, bytes: Int(info.st_size))
    }

    /// For the configuration that is shown before the work.
    func lines(_ configuration: TrainingConfiguration, collocation: Int, chunk: Int) -> [String] {
        let visits = Double(configuration.ensemble * configuration.iterations) * Double(chunk)
        let members = configuration.ensemble > 1 ? "\(configuration.ensemble) members of " : ""
        return [
            "memory     at most \(Figure.bytes(memory.peak)) (\(memory.breakdown)); \(memory.verdict(under: limits))",
            "disk       \(Figure.bytes(disk.run)) for checkpoints\(free.map { ", \(Figure.bytes($0)) free" } ?? "")",
            "work       \(members)\(configuration.iterations) iterations visit \(Figure.plain(visits)) collocation points, each \(Figure.plain(visits / Double(max(collocation, 1)))) times",
        ]
    }
}
