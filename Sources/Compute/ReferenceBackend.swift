import Glibc
import Networks
import Pointwise

/// Plain loops in double, point by point: slow, short, and what every other backend is tested against.
///
/// Notation: z are a layer's channels before the activation, a after it; a gradient carries "Bar".
public final class ReferenceBackend: Backend {
    public let workload: Workload
    public var parallelism: String { "1 thread" }
    public let threads = 1
    public var summary: String { "reference, plain loops in double" }

    public init(_ workload: Workload) {
        self.workload = workload
    }

    public func squaredResiduals(
        parameters: [Float], batches: [PointBatch], coefficients: [[Double]], gradient: inout [Float]
    ) throws -> ResidualSums {
        let (sums, exact) = squaredResiduals(
            parameters: parameters.map(Double.init), batches: batches, coefficients: coefficients)
        gradient = exact.map(Float.init)
        return sums
    }

    /// The same with parameters and gradient in double, for finite differences.
    public func squaredResiduals(
        parameters: [Double], batches: [PointBatch], coefficients: [[Double]]
    ) -> (sums: ResidualSums, gradient: [Double]) {
        var gradient = [Double](repeating: 0, count: parameters.count)
        var sums: ResidualSums = []
        for (number, batch) in batches.enumerated() {
            let program = workload.programs[number]
            var sum = [Double](repeating: 0, count: program.program.outputs.count)
            for point in 0..<batch.count {
                let columns = batch.columns.map { Double($0[point]) }
                let passes = forward(parameters, columns, program.derivatives)
                let run = program.program.evaluate(inputs(of: program, outputs(of: passes), columns))
                for (output, value) in run.outputs.enumerated() { sum[output] += value * value }
                let bars = zip(run.outputs, coefficients[number]).map { 2 * $0 * $1 }
                let inputBars = program.program.adjoint(slots: run.slots, outputBars: bars)
                var outputBars = [[Double]](
                    repeating: [Double](repeating: 0, count: workload.networks.outputs),
                    count: program.derivatives.channelCount)
                for (input, bar) in zip(program.program.inputs, inputBars) {
                    if case .channel(let output, let channel) = input { outputBars[channel.rawValue][output] += bar }
                }
                for (number, layers) in passes.enumerated() {
                    let range = workload.networks.outputs(of: number)
                    adjoint(number, parameters, columns, layers, outputBars.map { Array($0[range]) }, into: &gradient)
                }
            }
            sums.append(sum)
        }
        return (sums, gradient)
    }

    public func outputs(of program: PointProgram, parameters: [Float], at points: PointBatch) throws -> [[Float]] {
        let exact = outputs(
            of: program, parameters: parameters.map(Double.init), at: points.columns.map { $0.map(Double.init) })
        return exact.map { $0.map(Float.init) }
    }

    /// Outputs in double at points given in double.
    public func outputs(of program: PointProgram, parameters: [Double], at columns: [[Double]]) -> [[Double]] {
        var results = [[Double]](repeating: [], count: program.program.outputs.count)
        for point in columns[0].indices {
            let here = columns.map { $0[point] }
            let run = program.program.evaluate(
                inputs(of: program, outputs(of: forward(parameters, here, program.derivatives)), here))
            for (output, value) in run.outputs.enumerated() { results[output].append(value) }
        }
        return results
    }

    // MARK: one point

    /// Channels (K, outputs of the layer).
    private typealias Channels = [[Double]]

    private func inputs(of program: PointProgram, _ outputs: Channels, _ columns: [Double]) -> [Double] {
        program.program.inputs.map { input in
            switch input {
            case .channel(let output, let channel): outputs[channel.rawValue][output]
            case .column(let number): columns[number]
            }
        }
    }

    /// The channels of all networks' outputs, side by side.
    private func outputs(of passes: [[(z: Channels, a: Channels)]]) -> Channels {
        passes[0].last!.z.indices.map { channel in passes.flatMap { $0.last!.z[channel] } }
    }

    /// The channels of the coordinates themselves, as a network takes them.
    private func entrance(_ columns: [Double], _ derivatives: Derivatives) -> Channels {
        var channels = Channels(repeating: [0, 0], count: derivatives.channelCount)
        channels[0] = [columns[0], columns[1]]
        if derivatives >= .first {
            channels[1] = [workload.inputSlopes.x, 0]
            channels[2] = [0, workload.inputSlopes.y]
        }
        return channels
    }

    /// z and a of every layer of every network. All carry the same channels, asked for or not.
    private func forward(_ parameters: [Double], _ columns: [Double], _ derivatives: Derivatives) -> [[(
        z: Channels, a: Channels
    )]] {
        workload.networks.networks.indices.map { forward($0, parameters, columns, derivatives) }
    }

    /// z and a of every layer; the last layer has no activation.
    private func forward(
        _ number: Int, _ parameters: [Double], _ columns: [Double], _ derivatives: Derivatives
    ) -> [(z: Channels, a: Channels)] {
        let network = workload.networks.networks[number]
        let base = workload.networks.parameters(of: number)
        var layers: [(z: Channels, a: Channels)] = []
        var below = entrance(columns, derivatives)
        for layer in 0..<network.layerCount {
            var z = below.map { row in
                (0..<network.outputs(of: layer)).map { output in
                    row.indices.reduce(0) { sum, input in
                        sum + row[input]
                            * parameters[
                                base + network.weights(of: layer) + input * network.outputs(of: layer) + output]
                    }
                }
            }
            for output in z[0].indices { z[0][output] += parameters[base + network.biases(of: layer) + output] }
            var a = z
            if layer < network.hiddenLayers {
                for j in z[0].indices {
                    let t = tanh(z[0][j])
                    let d = 1 - t * t
                    let e = -2 * t * d
                    a[0][j] = t
                    if derivatives >= .first {
                        a[1][j] = d * z[1][j]
                        a[2][j] = d * z[2][j]
                    }
                    if derivatives >= .second {
                        a[3][j] = d * z[3][j] + e * z[1][j] * z[1][j]
                        a[4][j] = d * z[4][j] + e * z[1][j] * z[2][j]
                        a[5][j] = d * z[5][j] + e * z[2][j] * z[2][j]
                    }
                }
            }
            layers.append((z, a))
            below = a
        }
        return layers
    }

    private func adjoint(
        _ number: Int, _ parameters: [Double], _ columns: [Double], _ layers: [(z: Channels, a: Channels)],
        _ outputBars: Channels, into gradient: inout [Double]
    ) {
        let network = workload.networks.networks[number]
        let base = workload.networks.parameters(of: number)
        var bars = outputBars
        for layer in (0..<network.layerCount).reversed() {
            if layer < network.hiddenLayers { bars = activationAdjoint(z: layers[layer].z, aBar: bars) }
            let derivatives = Derivatives(rawValue: bars.count)!
            let below = layer == 0 ? entrance(columns, derivatives) : layers[layer - 1].a
            var belowBars = Channels(
                repeating: [Double](repeating: 0, count: network.inputs(of: layer)), count: bars.count)
            for channel in bars.indices {
                for output in bars[channel].indices {
                    let bar = bars[channel][output]
                    if channel == 0 { gradient[base + network.biases(of: layer) + output] += bar }
                    for input in below[channel].indices {
                        let place =
                            base + network.weights(of: layer) + input * network.outputs(of: layer) + output
                        gradient[place] += below[channel][input] * bar
                        belowBars[channel][input] += parameters[place] * bar
                    }
                }
            }
            bars = belowBars
        }
    }

    /// The adjoint of the activation's channel rules; f is the third derivative of tanh.
    private func activationAdjoint(z: Channels, aBar: Channels) -> Channels {
        var zBar = aBar
        for j in z[0].indices {
            let t = tanh(z[0][j])
            let d = 1 - t * t
            let e = -2 * t * d
            let f = d * (6 * t * t - 2)
            zBar[0][j] = aBar[0][j] * d
            guard z.count > 1 else { continue }
            let zx = z[1][j]
            let zy = z[2][j]
            zBar[0][j] += e * (aBar[1][j] * zx + aBar[2][j] * zy)
            zBar[1][j] = aBar[1][j] * d
            zBar[2][j] = aBar[2][j] * d
            guard z.count > 3 else { continue }
            zBar[0][j] += e * (aBar[3][j] * z[3][j] + aBar[4][j] * z[4][j] + aBar[5][j] * z[5][j])
            zBar[0][j] += f * (aBar[3][j] * zx * zx + aBar[4][j] * zx * zy + aBar[5][j] * zy * zy)
            zBar[1][j] += e * (2 * aBar[3][j] * zx + aBar[4][j] * zy)
            zBar[2][j] += e * (aBar[4][j] * zx + 2 * aBar[5][j] * zy)
            for channel in 3..<6 { zBar[channel][j] = aBar[channel][j] * d }
        }
        return zBar
    }
}
