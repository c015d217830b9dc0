import Compute
import Networks

/// One thread's memory for a tile of points in a subdomain that covers them: local coordinates, networks, and the
/// window that weights their outputs in the sum over subdomains.
///
/// Shapes: P points of a tile, K channels, O outputs of a network; outputs are point-major (P, K, O).
final class SubdomainTile {
    /// The networks of all subdomains, one subdomain after the other.
    private let packed: [PackedNetwork]
    private let networks: [NetworkTile]
    private let decomposition: Decomposition
    /// d(coordinate of the square)/d(equation's coordinate), for each channel of a window.
    private let slopes: [Double]
    private let capacity: Int
    private var subdomain = 0
    /// Coordinates for the subdomain's networks, (P).
    private let x: UnsafeMutablePointer<Float>
    private let y: UnsafeMutablePointer<Float>
    /// Channels of the window in the equation's coordinates, (6, P).
    private let window: UnsafeMutablePointer<Float>

    init(_ residualProblem: ResidualProblem, _ packed: [PackedNetwork], rows: Int) {
        let (sx, sy) = residualProblem.inputSlopes
        self.packed = packed
        networks = packed.prefix(residualProblem.networks.networks.count).map {
            NetworkTile($0.padded, $0.kernels, slopes: residualProblem.networkSlopes, rows: rows)
        }
        decomposition = residualProblem.networks.decomposition
        slopes = [1, sx, sy, sx * sx, sx * sy, sy * sy]
        capacity = rows
        x = allocateFloats(capacity)
        y = allocateFloats(capacity)
        window = allocateFloats(SubdomainTile.windowFloats(decomposition, rows: rows))
    }

    static func windowFloats(_ decomposition: Decomposition, rows: Int) -> Int {
        decomposition.maxOverlap > 1 ? 6 * rows : 0
    }

    deinit {
        for buffer in [x, y, window] { buffer.deallocate() }
    }

    func outputs(of network: Int) -> UnsafeMutablePointer<Float> { networks[network].outputs }
    func outputBars(of network: Int) -> UnsafeMutablePointer<Float> { networks[network].outputBars }

    /// Channels of a network's outputs at the points of the last `enter`, K = `channels`.
    func forward(_ network: Int, points: Int, channels: Int) {
        networks[network].forward(
            packed[subdomain * networks.count + network], x, y, points: points, channels: channels)
    }

    /// Adds to the network's gradient in a slot, from the outputs' adjoints.
    func adjoint(_ network: Int, points: Int, channels: Int, slot: GradientSlots.Slot) {
        let number = subdomain * networks.count + network
        networks[network].adjoint(
            packed[number], x, y, points: points, channels: channels, fresh: slot.untouched[number],
            gradient: slot.gradients[number])
        slot.untouched[number] = false
    }

    /// The factors of a network's Jacobian at the points of the last `forward`, with the inputs of all layers.
    func factors(of network: Int, points: Int, channels: Int, programOutputs: Int) -> NetworkFactors {
        let number = subdomain * networks.count + network
        let factors = NetworkFactors(
            number, packed[number], points: points, channels: channels, programOutputs: programOutputs)
        networks[network].keepInputs(packed[number], x, y, in: factors)
        return factors
    }

    /// Adds an output's adjoints to the factors.
    func keepAdjoints(_ network: Int, of output: Int, in factors: NetworkFactors) {
        networks[network].keepAdjoints(packed[factors.number], of: output, in: factors)
    }

    /// Sets the points, of one zone and in the coordinates of the square. A subdomain that alone covers them needs no window.
    func enter(
        _ subdomain: Int, zone: Int, isAlone: Bool, _ squareX: UnsafePointer<Float>, _ squareY: UnsafePointer<Float>,
        count: Int
    ) {
        self.subdomain = subdomain
        let center = decomposition.center(of: subdomain)
        let slope = decomposition.slopes
        for point in 0..<count {
            x[point] = Float((Double(squareX[point]) - center.x) * slope.x)
            y[point] = Float((Double(squareY[point]) - center.y) * slope.y)
        }
        if isAlone { return }
        for point in 0..<count {
            let channels = decomposition.window(
                subdomain, zone: zone, x: Double(squareX[point]), y: Double(squareY[point]))
            for channel in slopes.indices {
                window[channel * capacity + point] = Float(channels[channel] * slopes[channel])
            }
        }
    }

    /// Adds the channels of window times outputs to a sum of the same shape.
    func addProduct(
        of network: Int, outputs count: Int, to sum: UnsafeMutablePointer<Float>, points: Int, channels: Int
    ) {
        let outputs = networks[network].outputs
        for term in ProductRule.terms where term.product < channels {
            for point in 0..<points {
                let weight = Float(term.factor) * window[term.f * capacity + point]
                let from = outputs + (point * channels + term.g) * count
                let to = sum + (point * channels + term.product) * count
                for output in 0..<count { to[output] += weight * from[output] }
            }
        }
    }

    /// Sets the outputs' adjoints, from those of the sum that `addProduct` added to.
    func setBars(of network: Int, outputs count: Int, from sumBars: UnsafePointer<Float>, points: Int, channels: Int) {
        let bars = networks[network].outputBars
        bars.update(repeating: 0, count: points * channels * count)
        for term in ProductRule.terms where term.product < channels {
            for point in 0..<points {
                let weight = Float(term.factor) * window[term.f * capacity + point]
                let from = sumBars + (point * channels + term.product) * count
                let to = bars + (point * channels + term.g) * count
                for output in 0..<count { to[output] += weight * from[output] }
            }
        }
    }
}
