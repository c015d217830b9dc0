import ComputeCPU
import Planning

extension BenchmarkTask {
    /// What the process of a row will hold. It is this program too, so what this process holds stands for its program and
    /// libraries. Stages besides training hold little that grows with the points.
    public func memory() throws -> MemoryEstimate {
        let parts: [MemoryEstimate.Part] =
            switch work {
            case .step: try memory(of: stepProblem, copies: 1)
            // Sets and their sizes are about those of DIFFICE_jax; a chunk in memory, one in use, one that is read ahead.
            case .stream: try memory(of: StepProblem(.diffice, network), copies: 3)
            case .jacobian: try memoryOfJacobian()
            case .ingest, .export, .makeStore, .makeProducts: []
            }
        return MemoryEstimate(
            parts, threads: threads ?? 0, reservedPerThread: CPUBackend.reservedPerThread)
    }

    private func memoryOfJacobian() throws -> [MemoryEstimate.Part] {
        let problem = try stepProblem
        let weights = problem.residualProblem.networks.parameterCount
        // JᵀJ, J Jᵀ and blocks of J's columns.
        let matrices = 8 * (weights * weights + 25 * points * points + 1024 * 10 * points)
        return memory(of: problem, copies: 1) + [
            .init(name: "products of a Jacobian of \(network)", bytes: matrices, remedy: "a smaller --network")
        ]
    }

    /// - Parameter copies: of the points' columns that are held at once.
    private func memory(of problem: StepProblem, copies: Int) -> [MemoryEstimate.Part] {
        // Weights, gradient, and what Adam keeps: two vectors, and some room.
        let parts: [MemoryEstimate.Part] = [
            .init(name: "weights of \(title)", bytes: 6 * 4 * problem.residualProblem.networks.parameterCount),
            .init(
                name: "columns of \(title)", bytes: copies * problem.byteCount(points: points), remedy: "fewer --points"
            ),
        ]
        guard let threads else { return parts }
        let buffers = CPUBackend.memory(
            problem.residualProblem, counts: problem.counts(points: points), threads: threads)
        return parts
            + buffers.map {
                .init(name: "\($0.name) of \(title)", bytes: $0.bytes, remedy: "fewer --points or --threads")
            }
            // Three of 1024 x 1024 a thread.
            + [.init(name: "matrices of the SGEMM rate", bytes: threads * 3 * 4 << 20)]
    }
}
