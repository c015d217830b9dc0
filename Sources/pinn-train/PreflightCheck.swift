import CommandSupport
import Compute
import Glibc
import NetCDFFiles
import Objective
import Planning
import PointStore
import Runs

/// What a run needs of this machine, compared with its limits before anything large is allocated: a Swift program whose
/// allocation fails dies without a message.
struct PreflightCheck {
    let memory: MemoryEstimate
    let disk: DiskEstimate
    let limits: [MemoryLimit]
    /// Room on the disk; nil where it is not known.
    let free: Int?

    /// Throws where the run would not fit.
    ///
    /// - Parameter resumed: memory of the checkpoint that was read, which becomes the run's own.
    init(
        _ configuration: TrainingConfiguration, _ store: StoreReader, _ objective: Objective, run: RunDirectory,
        threads: Int?, resumed: ProcessMemory
    ) throws {
        let sizes = store.description.sizes(configuration.stream)
        let now = ProcessMemory.now
        let baseline = now - resumed
        limits = MemoryLimit.all(holding: now)
        memory = MemoryEstimate(
            configuration, objective: objective, sizes: sizes,
            backend: try Backends.memory(
                configuration.backend, objective.residualProblem, counts: objective.sets.map { sizes[$0] ?? 0 },
                threads: threads),
            // More threads than cores are not made.
            threads: min(threads ?? Backends.defaultThreads, Backends.defaultThreads),
            reservedPerThread: Backends.reservedPerThread, baseline: baseline
        ).fitted(to: limits)
        disk = DiskEstimate(configuration, objective: objective)
        // The folder of a new run does not exist yet: then its parent's file system counts.
        free = AtomicFile.freeBytes(beside: run.historyPath) ?? AtomicFile.freeBytes(beside: run.path)
        try memory.require(limits)
        try disk.require(free: free, present: run.byteCount, in: run.path)
    }

    /// Throws where there is no room to read the newest checkpoint, which holds the configuration.
    static func requireRoom(toRead run: RunDirectory) throws {
        guard let newest = run.checkpoints.first else { return }
        var info = stat()
        guard stat(newest, &info) == 0 else { return }
        try MemoryEstimate.requireRoom(toRead: newest, bytes: Int(info.st_size))
    }
}
