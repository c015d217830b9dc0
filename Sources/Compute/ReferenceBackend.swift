import Glibc
import Networks
import Pointwise

/// Plain loops in double, point by point: slow, short, and what every other backend is tested against.
///
/// Notation: z are a layer's channels before the activation, a after it; a gradient carries "Bar".
public final class ReferenceBackend: Backend {
    public let residualProblem: ResidualProblem
    public var parallelism: String { "1 thread" }
    public let threads = 1
    public var summary: String { "reference, plain loops in double" }

    public init(_ residualProblem: ResidualProblem) {
        self.residualProblem = residualProblem
    }

    public func squaredResiduals(
        parameters: [Float], batches: [PointBatch], coefficients: [[Double]], gradient: inout [Float]
    ) throws -> ResidualSums {
        let (sums, exact) = squaredResiduals(
            parameters: parameters.map(Double.init), batches: batches, coefficients: coefficients)
        gradient = exact.map(Float.init)
        return sums
    }

    /// The same with parameters and gradient in double, as finite differences need it.
    public func squaredResiduals(
        parameters: [Double], batches: [PointBatch], coefficients: [[Double]]
    ) -> (sums: ResidualSums, gradient: [Double]) {
        var gradient = [Double](repeating: 0, count: parameters.count)
        var sums: ResidualSums = []
        for (number, batch) in batches.enumerated() {
            let program = residualProblem.programs[number]
            var sum = [Double](repeating: 0, count: program.program.outputs.count)
            for point in 0..<batch.count {
                let columns = batch.columns.map { Double($0[point]) }
                let passes = forward(parameters, columns, program.derivatives)
                let run = program.program.evaluate(inputs(of: program, outputs(of: passes), columns))
                for (output, value) in run.outputs.enumerated() { sum[output] += value * value }
                addAdjoint(
                    of: zip(run.outputs, coefficients[number]).map { 2 * $0 * $1 }, program, slots: run.slots, passes,
                    parameters, to: &gradient)
            }
            sums.append(sum)
        }
        return (sums, gradient)
    }

    /// The residuals √c_pj · output j of program p, in the order of `ResidualRows`, and their derivatives: one row for each.
    public func jacobian(
        parameters: [Double], batches: [PointBatch], coefficients: [[Double]]
    ) -> (residuals: [Double], rows: [[Double]]) {
        var residuals: [Double] = []
        var rows: [[Double]] = []
        for (number, batch) in batches.enumerated() {
            let program = residualProblem.programs[number]
            for point in 0..<batch.count {
                let columns = batch.columns.map { Double($0[point]) }
                let passes = forward(parameters, columns, program.derivatives)
                let run = program.program.evaluate(inputs(of: program, outputs(of: passes), columns))
                for (output, value) in run.outputs.enumerated() {
                    let root = coefficients[number][output].squareRoot()
                    var bars = [Double](repeating: 0, count: run.outputs.count)
                    bars[output] = root
                    var row = [Double](repeating: 0, count: parameters.count)
                    addAdjoint(of: bars, program, slots: run.slots, passes, parameters, to: &row)
                    residuals.append(root * value)
                    rows.append(row)
                }
            }
        }
        return (residuals, rows)
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

    /// Adds the derivative of Σ bar_j · output j at a point.
    private func addAdjoint(
        of bars: [Double], _ program: PointProgram, slots: [Double], _ passes: [Pass], _ parameters: [Double],
        to gradient: inout [Double]
    ) {
        let inputBars = program.program.adjoint(slots: slots, outputBars: bars)
        var outputBars = Channels(
            repeating: [Double](repeating: 0, count: residualProblem.networks.outputs),
            count: program.derivatives.channelCount)
        for (input, bar) in zip(program.program.inputs, inputBars) {
            if case .channel(let output, let channel) = input { outputBars[channel.rawValue][output] += bar }
        }
        for pass in passes {
            let bars = outputBars.map { Array($0[residualProblem.networks.outputs(of: pass.number)]) }
            adjoint(pass, parameters, factorBars(window: pass.window, bars), into: &gradient)
        }
    }

    private func inputs(of program: PointProgram, _ outputs: Channels, _ columns: [Double]) -> [Double] {
        program.program.inputs.map { input in
            switch input {
            case .channel(let output, let channel): outputs[channel.rawValue][output]
            case .column(let number): columns[number]
            }
        }
    }

    /// A network's forward pass at a point: z and a of every layer; the last layer has no activation.
    private struct Pass {
        let number: Int
        /// Where its parameters begin.
        let base: Int
        /// Channels of its subdomain's window.
        let window: [Double]
        /// Channels of the first layer's inputs.
        let entrance: Channels
        let layers: [(z: Channels, a: Channels)]
    }

    /// The networks of all subdomains that cover the point. All carry the same channels, needed or not.
    private func forward(_ parameters: [Double], _ columns: [Double], _ derivatives: Derivatives) -> [Pass] {
        let networks = residualProblem.networks
        let decomposition = networks.decomposition
        let (x, y) = (columns[0], columns[1])
        let zone = decomposition.zone(x: x, y: y)
        return decomposition.subdomains(covering: zone).flatMap { subdomain in
            let center = decomposition.center(of: subdomain)
            let local = (x: (x - center.x) * decomposition.slopes.x, y: (y - center.y) * decomposition.slopes.y)
            let slopes = residualProblem.inputSlopes
            let factors = [1, slopes.x, slopes.y, slopes.x * slopes.x, slopes.x * slopes.y, slopes.y * slopes.y]
            let window = decomposition.window(subdomain, zone: zone, x: x, y: y)
            return networks.networks.enumerated().map { number, network in
                let base = networks.parameters(of: number, in: subdomain)
                let entrance = entrance(network, local.x, local.y, derivatives)
                return Pass(
                    number: number, base: base, window: factors.indices.map { window[$0] * factors[$0] },
                    entrance: entrance, layers: forward(network, base, parameters, entrance, derivatives))
            }
        }
    }

    /// The channels of all outputs: the subdomains' networks weighted by their windows and summed.
    private func outputs(of passes: [Pass]) -> Channels {
        var sum = Channels(
            repeating: [Double](repeating: 0, count: residualProblem.networks.outputs), count: passes[0].entrance.count)
        for pass in passes {
            let first = residualProblem.networks.outputs(of: pass.number).lowerBound
            for term in ProductRule.terms where term.product < sum.count {
                for (output, value) in pass.layers.last!.z[term.g].enumerated() {
                    sum[term.product][first + output] += term.factor * pass.window[term.f] * value
                }
            }
        }
        return sum
    }

    /// The adjoints of a network's outputs, from those of their product with a window.
    private func factorBars(window: [Double], _ bars: Channels) -> Channels {
        var result = bars.map { $0.map { _ in 0.0 } }
        for term in ProductRule.terms where term.product < bars.count {
            for (output, bar) in bars[term.product].enumerated() {
                result[term.g][output] += term.factor * window[term.f] * bar
            }
        }
        return result
    }

    /// The channels of the first layer's inputs at the network's own coordinates: the coordinates, or their Fourier features.
    private func entrance(_ network: Perceptron, _ x: Double, _ y: Double, _ derivatives: Derivatives) -> Channels {
        let (sx, sy) = residualProblem.networkSlopes
        let all: Channels
        if let fourier = network.fourier {
            let angles = fourier.frequencies.map { b in
                (value: Double(b.x) * x + Double(b.y) * y, x: Double(b.x) * sx, y: Double(b.y) * sy)
            }
            // cos and sin of an angle that is linear in x and y, with their first and second derivatives.
            func features(
                _ factor: (_ x: Double, _ y: Double) -> Double, _ f: (Double) -> Double, _ g: (Double) -> Double
            )
                -> [Double]
            {
                angles.map { factor($0.x, $0.y) * f($0.value) } + angles.map { factor($0.x, $0.y) * g($0.value) }
            }
            all = [
                features({ _, _ in 1 }, cos, sin), features({ x, _ in x }, { -sin($0) }, cos),
                features({ _, y in y }, { -sin($0) }, cos), features({ x, _ in -x * x }, cos, sin),
                features({ x, y in -x * y }, cos, sin), features({ _, y in -y * y }, cos, sin),
            ]
        } else {
            all = [[x, y], [sx, 0], [0, sy], [0, 0], [0, 0], [0, 0]]
        }
        return Array(all.prefix(derivatives.channelCount))
    }

    /// z and a of every layer; the last layer has no activation.
    private func forward(
        _ network: Perceptron, _ base: Int, _ parameters: [Double], _ entrance: Channels, _ derivatives: Derivatives
    ) -> [(z: Channels, a: Channels)] {
        var layers: [(z: Channels, a: Channels)] = []
        var below = entrance
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
        _ pass: Pass, _ parameters: [Double], _ outputBars: Channels, into gradient: inout [Double]
    ) {
        let network = residualProblem.networks.networks[pass.number]
        let (base, layers) = (pass.base, pass.layers)
        var bars = outputBars
        for layer in (0..<network.layerCount).reversed() {
            if layer < network.hiddenLayers { bars = activationAdjoint(z: layers[layer].z, aBar: bars) }
            let below = layer == 0 ? pass.entrance : layers[layer - 1].a
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
