import CKernels
import Compute
import Networks
import Synchronization
import Threads

/// The Jacobian at the points of a batch as factors, tile by tile (`NetworkFactors`). Its products cost as much as the passes of a
/// gradient without their activations.
final class CPUJacobian: Jacobian {
    /// A tile's rows: of output j at point p, `firstRows[p] + j`.
    struct Tile {
        let firstRows: [Int]
        /// Of each output, one for each point.
        let residuals: [[Float]]
        let factors: [NetworkFactors]
        var outputs: Int { residuals.count }
    }

    let residuals: [Float]
    var rowCount: Int { residuals.count }
    var parameterCount: Int { networks.parameterCount }
    let networks: NetworkGroup
    private let slopes: (x: Float, y: Float)
    let tiles: [Tile]
    /// For the vectors that are multiplied, in the layout of weights.
    private let packed: [PackedNetwork]
    private let slots: GradientSlots
    let threads: Int
    let shouldStop: @Sendable () -> Bool

    init(
        _ residualProblem: ResidualProblem, rowCount: Int, tiles: [Tile], kernels: TileKernels, threads: Int,
        shouldStop: @escaping @Sendable () -> Bool
    ) {
        (self.tiles, self.threads, self.shouldStop) = (tiles, threads, shouldStop)
        var residuals = [Float](repeating: 0, count: rowCount)
        for tile in tiles {
            for (point, row) in tile.firstRows.enumerated() {
                for output in 0..<tile.outputs { residuals[row + output] = tile.residuals[output][point] }
            }
        }
        self.residuals = residuals
        networks = residualProblem.networks
        let slopes = residualProblem.networkSlopes
        self.slopes = (Float(slopes.x), Float(slopes.y))
        packed = PackedNetwork.all(of: networks, kernels, .fp32)
        slots = GradientSlots(networks, packed)
    }

    func product(_ vector: [Float]) throws -> [Float] {
        precondition(vector.count == parameterCount)
        PackedNetwork.load(vector, into: packed, of: networks, threads: threads)
        var result = [Float](repeating: 0, count: rowCount)
        result.withUnsafeMutableBufferPointer { result in
            let work = Shared(value: (jacobian: self, result: result.baseAddress!))
            perform(tiles.count) { number, stack in
                let (jacobian, result) = work.value
                jacobian.multiply(jacobian.tiles[number], stack, into: result)
            }
        }
        if shouldStop() { throw EvaluationStopped() }
        return result
    }

    func transposedProduct(_ weights: [Float]) throws -> [Float] {
        precondition(weights.count == rowCount)
        let runs = GradientSlots.deal(tiles: tiles.count, floats: slots.floats)
        slots.reserve(runs.count)
        var result: [Float] = []
        weights.withUnsafeBufferPointer { weights in
            let work = Shared(value: (jacobian: self, weights: weights.baseAddress!))
            perform(runs.count) { run, stack in
                let (jacobian, weights) = work.value
                let slot = jacobian.slots.begin(run)
                for tile in jacobian.tiles[runs[run]] { jacobian.add(tile, weights, stack, to: slot) }
            }
        }
        if shouldStop() { throw EvaluationStopped() }
        slots.sum(runs.count, threads: threads, into: &result)
        return result
    }

    func rows() throws -> [Double] {
        let count = parameterCount
        var rows = [Double](repeating: 0, count: rowCount * count)
        rows.withUnsafeMutableBufferPointer { rows in
            let work = Shared(value: (jacobian: self, rows: rows.baseAddress!))
            perform(tiles.count) { number, _ in
                let (jacobian, rows) = work.value
                let tile = jacobian.tiles[number]
                for factors in tile.factors {
                    let (subdomain, network) = factors.number.quotientAndRemainder(
                        dividingBy: jacobian.networks.networks.count)
                    factors.writeRows(
                        to: tile.firstRows.map {
                            rows + $0 * count + jacobian.networks.parameters(of: network, in: subdomain)
                        }, stride: count, of: jacobian.networks.networks[network])
                }
            }
        }
        if shouldStop() { throw EvaluationStopped() }
        return rows
    }

    func gram() throws -> [Double] {
        var gram = GramMatrix(order: rowCount, threads: threads)
        for number in packed.indices {
            let rows = NetworkRows(number, of: tiles)
            guard rows.count > 0 else { continue }
            for columns in JacobianColumns.all(of: packed[number].padded) {
                if shouldStop() { throw EvaluationStopped() }
                gram.add(rows, columns)
            }
        }
        return gram.elements
    }

    // MARK: a tile

    /// Shares out numbered pieces of work, with memory for a stack of a tile.
    private func perform(_ count: Int, _ body: @escaping @Sendable (Int, UnsafeMutablePointer<Float>) -> Void) {
        let next = Atomic<Int>(0)
        let floats = (TileWorkspace.rows + 64) * (packed.map { max($0.padded.width, $0.padded.outputs) }.max() ?? 0)
        ThreadTeam.computing.perform(iterations: min(threads, max(count, 1))) { [shouldStop] _ in
            let stack = allocateFloats(floats)
            defer { stack.deallocate() }
            while true {
                let number = next.add(1, ordering: .relaxed).oldValue
                guard number < count, !shouldStop() else { return }
                body(number, stack)
            }
        }
    }

    private func multiply(
        _ tile: Tile, _ stack: UnsafeMutablePointer<Float>, into result: UnsafeMutablePointer<Float>
    ) {
        var sums = [Double](repeating: 0, count: tile.firstRows.count * tile.outputs)
        for factors in tile.factors {
            let vector = packed[factors.number]
            for layer in 0..<factors.network.layerCount {
                multiply(factors, layer, vector, into: stack)
                addDots(factors, layer, stack, vector.parameters + factors.network.biases(of: layer), to: &sums)
            }
        }
        for (point, row) in tile.firstRows.enumerated() {
            for output in 0..<tile.outputs { result[row + output] = Float(sums[point * tile.outputs + output]) }
        }
    }

    /// A layer's inputs times the vector's matrix, (R, outputs of the layer).
    private func multiply(
        _ factors: NetworkFactors, _ layer: Int, _ vector: PackedNetwork, into stack: UnsafeMutablePointer<Float>
    ) {
        let network = factors.network
        let rows = factors.points * factors.channels
        let table = vector.kernels.table.pointee
        let weights = vector.parameters + network.weights(of: layer)
        if layer == network.hiddenLayers {
            BLAS.multiply(
                factors.inputs(of: layer), stride: network.width, weights, into: stack, m: rows, n: network.outputs,
                k: network.width)
        } else if layer == 0, !vector.isEncoded {
            table.enter(
                factors.x, factors.y, factors.points, factors.channels, network.width, network.width, weights,
                slopes.x, slopes.y, stack)
        } else {
            table.multiply(
                factors.inputs(of: layer), vector.forwardPanels(layer), rows, network.width, network.width, stack)
        }
    }

    /// Adds, for every point and output, the inner product of the stack and the output's adjoints.
    private func addDots(
        _ factors: NetworkFactors, _ layer: Int, _ stack: UnsafePointer<Float>, _ bias: UnsafePointer<Float>,
        to sums: inout [Double]
    ) {
        let width = factors.network.outputs(of: layer)
        let size = factors.channels * width
        for output in 0..<factors.programOutputs {
            let bars = factors.adjoints(layer, of: output)
            for point in 0..<factors.points {
                sums[point * factors.programOutputs + output] +=
                    Double(dot(stack + point * size, bars + point * size, size))
                    + Double(dot(bias, bars + point * size, width))
            }
        }
    }

    private func add(
        _ tile: Tile, _ weights: UnsafePointer<Float>, _ stack: UnsafeMutablePointer<Float>,
        to slot: GradientSlots.Slot
    ) {
        for factors in tile.factors {
            let isFresh = slot.untouched[factors.number]
            let gradient = slot.gradients[factors.number]
            for layer in 0..<factors.network.layerCount {
                weighAdjoints(factors, layer, tile.firstRows, weights, into: stack)
                add(factors, layer, stack, isFresh: isFresh, to: gradient)
            }
            slot.untouched[factors.number] = false
        }
    }

    /// Σ_j w_j adjoints(of: j) at every point, (R, outputs of the layer).
    private func weighAdjoints(
        _ factors: NetworkFactors, _ layer: Int, _ firstRows: [Int], _ weights: UnsafePointer<Float>,
        into stack: UnsafeMutablePointer<Float>
    ) {
        let size = factors.channels * factors.network.outputs(of: layer)
        for point in 0..<factors.points {
            let to = stack + point * size
            for output in 0..<factors.programOutputs {
                let from = factors.adjoints(layer, of: output) + point * size
                let weight = weights[firstRows[point] + output]
                if output == 0 {
                    for k in 0..<size { to[k] = weight * from[k] }
                } else {
                    for k in 0..<size { to[k] += weight * from[k] }
                }
            }
        }
    }

    /// Adds inputsᵀ · stack to a layer's weights, and the stack's value channel to its biases.
    private func add(
        _ factors: NetworkFactors, _ layer: Int, _ stack: UnsafePointer<Float>, isFresh: Bool,
        to gradient: UnsafeMutablePointer<Float>
    ) {
        let network = factors.network
        let width = network.outputs(of: layer)
        let rows = factors.points * factors.channels
        let table = packed[factors.number].kernels.table.pointee
        let weights = gradient + network.weights(of: layer)
        let biases = gradient + network.biases(of: layer)
        if isFresh { biases.update(repeating: 0, count: width) }
        for point in 0..<factors.points {
            let from = stack + point * factors.channels * width
            for k in 0..<width { biases[k] += from[k] }
        }
        if layer == network.hiddenLayers {
            BLAS.addProduct(
                transposed: factors.inputs(of: layer), stride: network.width, stack, to: weights, fresh: isFresh,
                m: network.width, n: width, k: rows)
        } else if layer == 0, !packed[factors.number].isEncoded {
            if isFresh { weights.update(repeating: 0, count: 2 * width) }
            table.enter_adjoint(
                factors.x, factors.y, factors.points, factors.channels, width, width, stack, slopes.x, slopes.y,
                weights)
        } else {
            table.add_transposed(factors.inputs(of: layer), stack, rows, width, width, isFresh ? 1 : 0, weights)
        }
    }
}

private func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int) -> Float {
    typealias Lanes = SIMD8<Float>
    var sum = Lanes.zero
    var k = 0
    while k + Lanes.scalarCount <= count {
        sum +=
            UnsafeRawPointer(a + k).loadUnaligned(as: Lanes.self)
            * UnsafeRawPointer(b + k).loadUnaligned(as: Lanes.self)
        k += Lanes.scalarCount
    }
    var rest = sum.sum()
    while k < count {
        rest += a[k] * b[k]
        k += 1
    }
    return rest
}
