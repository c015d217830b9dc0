import Networks

/// The Fourier features that a network takes in place of coordinates, on the GPU.
final class FourierFrequencies {
    /// Frequencies along x and y and phase of every feature, (3, F); a cosine is a sine with phase π/2.
    private let table: CUDAMemory
    private let count: Int
    private let kernel: Kernel
    private let device: Device

    /// nil: the network takes coordinates.
    init?(_ network: Perceptron, kernel: Kernel, _ device: Device) throws(CUDAError) {
        guard let frequencies = network.fourier?.frequencies else { return nil }
        let both = frequencies + frequencies
        let phases = both.indices.map { $0 < frequencies.count ? Float(Double.pi / 2) : 0 }
        table = try device.allocate(12 * both.count, "frequencies")
        try device.copy(both.map(\.x) + both.map(\.y) + phases, to: table.address)
        (count, self.kernel, self.device) = (network.inputs, kernel, device)
    }

    /// Channels of the features (P, K, F) at a tile's points.
    func encode(_ stacks: NetworkStacks, slopes: (x: Float, y: Float), points: Int) throws(CUDAError) {
        try device.launch(
            kernel, over: points * count,
            [
                .address(stacks.x.address), .address(stacks.y.address), .address(table.address), .float(slopes.x),
                .float(slopes.y), .address(stacks.features.address), .int(points), .int(count),
            ])
    }
}
