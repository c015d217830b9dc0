import Compute
import Objective
import PointStore

/// Loss and gradient of a batch: what the trainer and the optimizers on the host ask of a device.
public protocol Evaluator {
    /// The mean loss over the batch's chunks, and its gradient.
    ///
    /// - Parameter factors: on the terms' weights; nil: all one.
    func evaluate(_ parameters: [Float], on batch: Batch, factors: [Double]?, gradient: inout [Float]) throws -> Loss

    /// The norm of each weighted term's gradient over the batch's first chunk; of this process alone.
    func gradientNorms(_ parameters: [Float], on batch: Batch) throws -> [Double]

    /// √(Σ weight r²) over the residuals at each of some collocation points, x and y.
    func residuals(_ parameters: [Float], at points: [[Float]]) throws -> [Float]
}

/// Combines loss and gradient of all processes that train one run, each on its own part of a batch: the one place for an all-reduce.
///
/// Each call gets this process's mean over its part, and returns the mean over the whole batch, the same bits on every process; with
/// parts of one size, the sum divided by the number of processes.
public protocol GradientReduction: Sendable {
    func reduce(_ gradient: inout [Float]) throws
    func reduce(_ loss: inout Loss) throws
}

/// One process: its share is the whole.
public struct SingleProcess: GradientReduction {
    public init() {}
    public func reduce(_ gradient: inout [Float]) {}
    public func reduce(_ loss: inout Loss) {}
}

/// Evaluates a batch on a backend, chunk by chunk, and reduces the result over all processes.
public struct BackendEvaluator: Evaluator {
    public let objective: Objective
    public let backend: any Backend
    public let reduction: any GradientReduction

    public init(
        _ objective: Objective, on backend: any Backend, reduction: any GradientReduction = SingleProcess()
    ) {
        (self.objective, self.backend, self.reduction) = (objective, backend, reduction)
    }

    public func evaluate(
        _ parameters: [Float], on batch: Batch, factors: [Double]?, gradient: inout [Float]
    ) throws -> Loss {
        var loss = try accumulate(parameters, batch, factors, &gradient)
        try reduction.reduce(&gradient)
        try reduction.reduce(&loss)
        return loss
    }

    public func gradientNorms(_ parameters: [Float], on batch: Batch) throws -> [Double] {
        let chunk = try batch.chunk(0)
        let norms = try objective.gradientNorms(backend, parameters: parameters, chunk: chunk)
        try chunk.requireIntact()
        return norms
    }

    public func residuals(_ parameters: [Float], at points: [[Float]]) throws -> [Float] {
        try objective.residuals(backend, parameters: parameters, of: .collocation, at: PointBatch(columns: points))
    }

    /// The mean over this process's chunks. Gradients of several chunks are summed in double, in the chunks' order.
    private func accumulate(
        _ parameters: [Float], _ batch: Batch, _ factors: [Double]?, _ gradient: inout [Float]
    ) throws -> Loss {
        guard batch.count > 1 else { return try evaluate(parameters, try batch.chunk(0), factors, &gradient) }
        var mean = Loss(termCount: objective.terms.count)
        var sum = [Double](repeating: 0, count: parameters.count)
        for number in 0..<batch.count {
            let loss = try evaluate(parameters, try batch.chunk(number), factors, &gradient)
            mean.add(loss, times: 1 / Double(batch.count))
            for k in sum.indices { sum[k] += Double(gradient[k]) }
        }
        for k in sum.indices { gradient[k] = Float(sum[k] / Double(batch.count)) }
        return mean
    }

    private func evaluate(
        _ parameters: [Float], _ chunk: Chunk, _ factors: [Double]?, _ gradient: inout [Float]
    ) throws -> Loss {
        let loss = try objective.evaluate(
            backend, parameters: parameters, chunk: chunk, factors: factors, gradient: &gradient)
        try chunk.requireIntact()
        return loss
    }
}
