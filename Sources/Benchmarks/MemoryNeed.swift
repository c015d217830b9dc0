import ComputeCPU
import Foundation
import Glibc

/// Memory that a row's process needs beyond program and libraries. A failed Swift allocation traps, and the kernel's
/// out-of-memory killer may choose another process, so a row that cannot fit is refused beforehand.
struct MemoryNeed {
    /// Memory that is written to [bytes].
    let resident: Int
    /// Address space that threads reserve in addition [bytes].
    let reserved: Int

    /// - Parameter copies: number of copies of the points' columns that are held at once.
    init(_ problem: StepProblem, points: Int, threads: Int?, copies: Int) {
        // Weights, gradient, Adam's two moments, and some margin.
        var bytes = 6 * 4 * problem.residualProblem.networks.parameterCount + copies * problem.byteCount(points: points)
        if let threads {
            bytes += CPUBackend.memory(
                problem.residualProblem, counts: problem.counts(points: points), threads: threads
            )
            .reduce(0) { $0 + $1.bytes }
            // The yardstick's matrices: three of 1024 x 1024 per thread.
            bytes += threads * 3 * 4 << 20
        }
        resident = bytes
        reserved = (threads ?? 0) * CPUBackend.reservedPerThread.mapped
    }

    /// Throws if the need exceeds free memory or `ulimit -v`. A row's process runs this same program, so this process's mappings
    /// stand for its program and libraries.
    func require(for row: String) throws {
        func refuse(_ needed: Int, _ free: Int, _ limit: String) -> BenchmarkError {
            .memoryTooSmall(row: row, needed: needed, free: free, limit: limit)
        }
        if let free = ProcessMemory.bytes("MemAvailable:", in: "/proc/meminfo"), resident > free {
            throw refuse(resident, free, "this machine")
        }
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur < 1 << 60 else { return }
        let free = max(0, Int(limit.rlim_cur) - (ProcessMemory.bytes("VmSize:", in: "/proc/self/status") ?? 0))
        if resident + reserved > free { throw refuse(resident + reserved, free, "ulimit -v") }
    }
}

extension BenchmarkTask {
    /// The need of a task; nil for tasks other than training steps, whose memory does not grow with the points.
    func memory() throws -> MemoryNeed? {
        switch self {
        case .step(let step):
            MemoryNeed(
                try .named(step.problem, step.network, tiles: step.tiles, fourier: step.fourier), points: step.points,
                threads: step.threads, copies: 1)
        case .stream(let stream):
            // Sets and sizes are about those of DIFFICE_jax: one chunk in memory, one in use, one being read ahead.
            MemoryNeed(
                try .named("diffice", stream.network), points: stream.chunk, threads: stream.threads, copies: 3)
        default: nil
        }
    }
}
