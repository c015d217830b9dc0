import Compute
import Fields
import Objective
import PointStore
import Runs

/// New collocation points, drawn by the residuals at points of the stream: as many as a sample that is kept, chunk by chunk,
/// so that memory follows the sample and not the store. A function of the weights, the iteration and (R3) the points before.
extension TrainingContext {
    public func draw(at iteration: Int, parameters: [Float], replacing previous: ResampledPoints?) throws
        -> ResampledPoints
    {
        let sampling = configuration.sampling
        let count = configuration.stream.sampleChunks * stream.size(.collocation)
        // Drawings by their number, each with chunks of its own.
        let number = iteration / sampling.every
        if sampling.method == .r3 {
            return ResampledPoints(
                iteration: iteration,
                columns: try released(
                    parameters, previous?.columns ?? uniform(number - 1, times: 1), fresh: uniform(number, times: 1)))
        }
        let candidates = try uniform(number, times: sampling.candidates)
        let weights = ResidualDensity(exponent: sampling.exponent, floor: sampling.floor).weights(
            try residuals(parameters, at: candidates))
        let places = ResidualDensity.places(
            weights, count: count, random: unitInterval(mixed(mixed(configuration.seed, 0x52_4144), UInt64(number))))
        return ResampledPoints(iteration: iteration, columns: candidates.map { column in places.map { column[$0] } })
    }

    /// R3 (Daw et al. 2023, "Mitigating propagation failures in physics-informed neural networks using
    /// retain-resample-release sampling", ICML): points whose residual exceeds the mean are retained, fresh ones take the
    /// places of the others.
    private func released(_ parameters: [Float], _ points: [[Float]], fresh: [[Float]]) throws -> [[Float]] {
        let residuals = try residuals(parameters, at: points)
        let mean = residuals.reduce(0.0) { $0 + Double($1) } / Double(residuals.count)
        return zip(points, fresh).map { old, new in
            residuals.indices.map { Double(residuals[$0]) > mean ? old[$0] : new[$0] }
        }
    }

    /// Points of the store: so many times a sample that is kept.
    private func uniform(_ number: Int, times: Int) throws -> [[Float]] {
        let chunks = times * configuration.stream.sampleChunks
        var columns = PointSet.collocation.columns.map { _ in [Float]() }
        for column in columns.indices { columns[column].reserveCapacity(chunks * stream.size(.collocation)) }
        for place in 0..<chunks {
            let request = ChunkRequest(.streamed(iteration: number * chunks + place), sets: [.collocation])
            let chunk = try stream.chunk(request, next: nil)
            for (column, values) in chunk.columns[.collocation, default: []].enumerated() { columns[column] += values }
            try chunk.requireIntact()
        }
        return columns
    }

    /// By chunks, like everything else on a backend.
    private func residuals(_ parameters: [Float], at columns: [[Float]]) throws -> [Float] {
        let size = stream.size(.collocation)
        var residuals: [Float] = []
        residuals.reserveCapacity(columns[0].count)
        for start in stride(from: 0, to: columns[0].count, by: size) {
            let points = PointBatch(columns: columns.map { Array($0[start..<start + size]) })
            residuals += try objective.residuals(backend, parameters: parameters, of: .collocation, at: points)
        }
        return residuals
    }
}
