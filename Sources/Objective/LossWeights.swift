/// Weights of the loss terms. The defaults are DIFFICE_jax's (Wang & Lai 2025, JOSS 10(109), 7254).
public struct LossWeights: Sendable, Equatable {
    public var velocity = 1.0
    public var thickness = 0.6
    public var surface = 1.0
    public var equation = 0.05
    public var front = 0.1
    /// Relative to the loss of all other terms.
    public var prior = 1.0
    /// Of the networks' squared weights, in variances of one observed value's error (Training/WeightDecay.swift).
    public var decay = 0.0

    public init() {}
}
