import ComputeCPU
import Foundation
import Glibc

/// What a row's process will hold beyond program and libraries. A Swift allocation that fails ends the process without a
/// word, and the kernel's choice of a process to end is worse, so a row that cannot fit is refused beforehand.
struct MemoryNeed {
    /// Bytes that are written to.
    let resident: Int
    /// What threads reserve as well, as address space alone.
    let reserved: Int

    /// - Parameter copies: of the points' columns that are held at once.
    init(_ problem: StepProblem, points: Int, threads: Int?, copies: Int) {
        // Weights, gradient, and what Adam keeps: two vectors, and some room.
        var bytes = 6 * 4 * problem.residualProblem.networks.parameterCount + copies * problem.byteCount(points: points)
        if let threads {
            bytes += CPUBackend.memory(
                problem.residualProblem, counts: problem.counts(points: points), threads: threads
            )
            .reduce(0) { $0 + $1.bytes }
            // The yardstick's matrices: three of 1024 x 1024 a thread.
            bytes += threads * 3 * 4 << 20
        }
        resident = bytes
        reserved = (threads ?? 0) * CPUBackend.reservedPerThread.mapped
    }

    /// The process of a row is this program too, so what this one has mapped stands for its program and libraries.
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
    /// Nil for tasks that are no training steps; what those hold does not grow with the points.
    func memory() throws -> MemoryNeed? {
        switch self {
        case .step(let step):
            MemoryNeed(
                try .named(step.problem, step.network, subdomains: step.subdomains, fourier: step.fourier),
                points: step.points,
                threads: step.threads, copies: 1)
        case .stream(let stream):
            // Sets and their sizes are about those of DIFFICE_jax; a chunk in memory, one in use, one that is read ahead.
            MemoryNeed(
                try .named("diffice", stream.network), points: stream.chunk, threads: stream.threads, copies: 3)
        default: nil
        }
    }
}
