import CKernels
import Networks

/// The hot loops of one instruction set (CKernels/include/tile_kernels.h has their meaning and shapes).
public struct TileKernels: @unchecked Sendable {
    // Unchecked: points to a constant table of functions.
    let table: UnsafePointer<tile_kernels>

    /// The sets of kernels that this processor runs, the fastest first.
    public static let available: [TileKernels] = (0..<tile_kernels_count()).map {
        TileKernels(table: tile_kernels_at($0))
    }

    public var name: String { String(cString: table.pointee.name) }
    var lanes: Int { table.pointee.lanes }

    /// The width rounded up to whole vectors, as the kernels require.
    func padded(_ width: Int) -> Int { (width + lanes - 1) / lanes * lanes }

    /// The network with its width padded, and as many Fourier features, so that all products but the last are square.
    func padded(_ network: Perceptron) -> Perceptron {
        let width = padded(network.width)
        precondition(network.fourier.map { $0.count <= width } ?? true)
        return Perceptron(
            inputs: network.fourier.map { _ in width }, hiddenLayers: network.hiddenLayers, width: width,
            outputs: network.outputs, fourier: network.fourier)
    }
}
