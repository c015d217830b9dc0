import Compute
import Fields

extension CUDABackend: RatedBackend {
    /// Medians over a few runs of square matrix products by cuBLAS and of copies of a gibibyte (less on a small GPU).
    public func rates() throws -> DeviceRates {
        try device.makeCurrent()
        let isLarge = device.totalMemory > 16 << 30
        let size = isLarge ? 8192 : 256
        let matrix = 4 * size * size
        var memory: [CUDAMemory] = []
        for _ in 0..<3 { memory.append(try device.allocate(matrix, "the matrices of the sgemm measurement")) }
        for each in memory { try device.clear(each.address, words: size * size) }
        let product = try seconds {
            try products.multiply(
                .init(address: memory[0].address, stride: size), .init(address: memory[1].address, stride: size),
                into: .init(address: memory[2].address, stride: size), m: size, n: size, k: size, precision: precision)
        }
        let bytes = min(1 << 30, matrix)
        let copy = try seconds { try device.copy(from: memory[0].address, to: memory[1].address, bytes: bytes) }
        return DeviceRates(
            products: 2 * Double(size) * Double(size) * Double(size) / product, copies: 2 * Double(bytes) / copy)
    }

    /// Median of seven runs by the GPU's own clock, after two that warm it up [s].
    private func seconds(_ work: () throws -> Void) throws -> Double {
        let (begin, end) = (try Event(device, isTimed: true), try Event(device, isTimed: true))
        var times: [Double] = []
        for _ in 0..<9 {
            try begin.record(in: device.stream)
            try work()
            try end.record(in: device.stream)
            try end.wait()
            times.append(try end.seconds(since: begin))
        }
        return Array(times.dropFirst(2)).median ?? 0
    }
}
