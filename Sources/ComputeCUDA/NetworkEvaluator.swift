/// How a tile goes through one network with a number of channels, and back: layer by layer (`NetworkPasses`, which the other is
/// tested against) or all at once (`FusedPasses`).
protocol NetworkEvaluator: AnyObject {
    /// Channels of the outputs at points; leaves z of every layer, tanh in its value channel.
    ///
    /// - Parameter parameters: the address of the network's own.
    func forward(_ stacks: NetworkStacks, _ tile: TileStorage, parameters: UInt64, points: Int) throws(CUDAError)

    /// Adds to the slices' sums of the gradient, from the outputs' adjoints and from z.
    ///
    /// - Parameter sums: the address of the network's own in the first slice.
    func adjoint(_ stacks: NetworkStacks, _ tile: TileStorage, parameters: UInt64, sums: UInt64, points: Int)
        throws(CUDAError)
}

/// Where a tile's stacks lie.
struct NetworkStacks {
    let z: CUDAMemory
    let features: CUDAMemory
    let x: CUDAMemory
    let y: CUDAMemory
    /// Outputs and their adjoints, (P, K, O).
    let outputs: UInt64
    let outputBars: UInt64
}
