/// Forward and adjoint pass of a tile through one network: layer by layer (`NetworkPasses`, the reference) or with all
/// layers fused (`FusedPasses`).
protocol NetworkEvaluator: AnyObject {
    /// Computes the channels of the outputs, and leaves z of every layer with tanh z in its value channel.
    ///
    /// - Parameter parameters: address of the network's first parameter.
    func forward(_ stacks: NetworkStacks, _ tile: TileStorage, parameters: UInt64, points: Int) throws(CUDAError)

    /// Adds to the slices' gradient sums, from the outputs' adjoints and z.
    ///
    /// - Parameter sums: address of the network's first parameter in the first slice.
    func adjoint(_ stacks: NetworkStacks, _ tile: TileStorage, parameters: UInt64, sums: UInt64, points: Int)
        throws(CUDAError)
}

/// The stacks of a tile for one network.
struct NetworkStacks {
    let z: CUDAMemory
    let features: CUDAMemory
    let x: CUDAMemory
    let y: CUDAMemory
    /// Outputs and their adjoints, (P, K, O).
    let outputs: UInt64
    let outputBars: UInt64
}
