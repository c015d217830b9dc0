import ComputeCPU
import Planning

extension BenchmarkTask {
    /// What the process of a row will hold. It is this program too, so what this process holds stands for its program and
    /// libraries. Stages besides training hold little that grows with the points.
    func memory() throws -> MemoryEstimate {
        switch self {
        case .step(let step):
            try memory(
                of: .named(step.problem, step.network, subdomains: step.subdomains, fourier: step.fourier),
                points: step.points,
                threads: step.threads, copies: 1)
        case .stream(let stream):
            // Sets and their sizes are about those of DIFFICE_jax; a chunk in memory, one in use, one that is read ahead.
            try memory(
                of: .named("diffice", stream.network), points: stream.chunk, threads: stream.threads, copies: 3)
        case .export(let export): BenchmarkTask.estimate([], threads: export.threads)
        case .makeStore, .makeProducts, .ingest: BenchmarkTask.estimate([], threads: nil)
        }
    }

    /// - Parameter copies: of the points' columns that are held at once.
    private func memory(of problem: StepProblem, points: Int, threads: Int?, copies: Int) -> MemoryEstimate {
        // Weights, gradient, and what Adam keeps: two vectors, and some room.
        var parts: [MemoryEstimate.Part] = [
            .init(name: "weights of \(title)", bytes: 6 * 4 * problem.residualProblem.networks.parameterCount),
            .init(
                name: "columns of \(title)", bytes: copies * problem.byteCount(points: points), remedy: "fewer --points"
            ),
        ]
        if let threads {
            parts += CPUBackend.memory(
                problem.residualProblem, counts: problem.counts(points: points), threads: threads
            ).map { .init(name: "\($0.name) of \(title)", bytes: $0.bytes, remedy: "fewer --points or --threads") }
            // Three of 1024 x 1024 a thread.
            parts.append(.init(name: "matrices of the SGEMM rate", bytes: threads * 3 * 4 << 20))
        }
        return BenchmarkTask.estimate(parts, threads: threads)
    }

    private static func estimate(_ parts: [MemoryEstimate.Part], threads: Int?) -> MemoryEstimate {
        MemoryEstimate(
            parts, threads: threads ?? 0, reservedPerThread: CPUBackend.reservedPerThread, kind: .usage)
    }
}
