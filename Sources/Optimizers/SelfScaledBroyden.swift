import Glibc

/// Self-scaled Broyden's method (Al-Baali 1998; for physics-informed networks Urbán, Stefanou & Pons 2025,
/// doi:10.1016/j.jcp.2024.113656, and Kiyani et al. 2025, doi:10.1016/j.cma.2025.118308) with the whole inverse Hessian and a
/// strong Wolfe search:
///
///     H ← (H − H y yᵀ H / yᵀHy + φ yᵀHy v vᵀ) / τ + s sᵀ / yᵀs,   v = s / yᵀs − H y / yᵀHy
///
/// where s is the move, y the change of the gradient, and φ and τ follow from how well H foretold them. It needs n² / 2 doubles
/// for n parameters (177 MB for two 4 x 32 networks, 1.1 GB for two of 6 x 40): for small networks, where the loss falls
/// several times as fast by iterations as with the limited memory of L-BFGS (docs/accuracy.md).
public struct SelfScaledBroyden: Optimizer {
    public static let name = "ssbroyden"
    public static let requiresFixedBatch = true
    public static func stateBytes(parameterCount: Int, options: OptimizerOptions) -> Int {
        8 * (InverseHessian.elementCount(parameterCount) + 3 * parameterCount + 4)
    }

    private var matrix: InverseHessian
    /// What the last step taught and the matrix does not have yet.
    private var change: InverseHessian.Change?
    /// −H g of the last gradient; nil where it must be made anew.
    private var direction: [Double]?
    /// Whether the matrix has the scale of the problem: the identity has none.
    private var isScaled = false
    private let threads: Int

    public init(parameterCount: Int, options: OptimizerOptions) {
        matrix = InverseHessian(order: parameterCount)
        threads = options.threads
    }

    public mutating func step(
        _ parameters: inout [Float], loss: Double, gradient: [Float],
        evaluate: (_ parameters: [Float], _ gradient: inout [Float]) throws -> Double
    ) throws -> StepOutcome {
        while true {
            let g = gradient.map(Double.init)
            let direction = self.direction ?? applied(to: g).map { -$0 }
            let slope = Vectors.dot(gradient, direction)
            var moved: [Float] = []
            var newGradient: [Float] = []
            // Without a scale: a move of length one at most, of a tenth at first.
            let firstLength = isScaled ? 1 : min(1, 0.1 / (-slope).squareRoot())
            let accepted =
                slope < 0
                ? try WolfeSearch().find(from: .init(length: 0, value: loss, slope: slope), firstLength: firstLength) {
                    length in
                    moved = zip(parameters, direction).map { Float(Double($0) + length * $1) }
                    let value = try evaluate(moved, &newGradient)
                    return .init(length: length, value: value, slope: Vectors.dot(newGradient, direction))
                } : nil
            guard let accepted else {
                if !isScaled { return .noDescent }
                // Rounding has spoilt the matrix: once more, downhill.
                self = SelfScaledBroyden(parameterCount: parameters.count, threads: threads)
                continue
            }
            // The move that float32 made of it.
            let s = zip(moved, parameters).map { Double($0) - Double($1) }
            learn(s, from: g, to: newGradient.map(Double.init), direction, length: accepted.length)
            parameters = moved
            return .movedToLastEvaluation
        }
    }

    private init(parameterCount: Int, threads: Int) {
        matrix = InverseHessian(order: parameterCount)
        self.threads = threads
    }

    /// H x, with what is pending put into H.
    private mutating func applied(to x: [Double]) -> [Double] {
        defer { change = nil }
        return matrix.product(x, after: change, threads: threads)
    }

    /// The change of H from a move, and the next direction.
    private mutating func learn(
        _ s: [Double], from g: [Double], to newGradient: [Double], _ direction: [Double], length: Double
    ) {
        // H g is known: one product gives H y and the next direction.
        let u = applied(to: newGradient)
        let y = zip(newGradient, g).map { $0 - $1 }
        let w = zip(u, direction).map { $0 + $1 }
        let ys = Vectors.dot(y, s)
        let yHy = Vectors.dot(y, w)
        self.direction = u.map { -$0 }
        let noise = 1e-10 * (Vectors.dot(y, y) * Vectors.dot(s, s)).squareRoot()
        guard ys > noise, yHy > 0 else { return }

        // Al-Baali's bounds on θ, and his scale τ, as Urbán et al. write them.
        let b = -length * Vectors.dot(s, g) / ys
        let h = yHy / ys
        let a = b * h - 1
        guard b > 0, b.isFinite, h.isFinite else { return }
        let theta: Double
        if abs(a) > 1e-12 {
            let lower = min(1, h * (1 - abs(a / (1 + a)).squareRoot()))
            theta = max((lower - 1) / a, min(1 / lower, (1 - b) / b))
        } else {
            theta = 0
        }
        let sigma = 1 + theta * a
        let root = pow(abs(sigma), 1 / (1 - Double(max(s.count, 2))))
        let shrink = min(1, 1 / b)
        let tau =
            !isScaled ? h / sigma : theta <= 0 ? min(shrink * root, sigma) : shrink * min(root, 1 / theta)
        let phi = (1 - theta) / sigma
        guard tau > 0, tau.isFinite, phi.isFinite else { return }
        let rho = 1 / ys
        let change = InverseHessian.Change(
            keep: 1 / tau, ww: (phi - 1) / (yHy * tau), sw: -phi * rho / tau, ss: rho + phi * yHy * rho * rho / tau,
            s: s, w: w)
        // −H g after the change, without a pass of its own.
        let sg = Vectors.dot(s, newGradient)
        let wg = Vectors.dot(w, newGradient)
        let alongS = change.ss * sg + change.sw * wg
        let alongW = change.sw * sg + change.ww * wg
        self.direction = u.indices.map { -(change.keep * u[$0] + (alongS * s[$0] + alongW * w[$0])) }
        self.change = change
        isScaled = true
    }

    public mutating func batchDidChange() { direction = nil }

    public var state: OptimizerState {
        get {
            var doubles = ["inverse_hessian": matrix.elements]
            doubles["direction"] = direction
            if let change {
                doubles["move"] = change.s
                doubles["product"] = change.w
                doubles["factors"] = [change.keep, change.ww, change.sw, change.ss]
            }
            return OptimizerState(counts: ["scaled": isScaled ? 1 : 0], doubles: doubles)
        }
        set {
            let doubles = newValue.doubles
            if let elements = doubles["inverse_hessian"],
                let matrix = InverseHessian(order: matrix.order, elements: elements)
            {
                self.matrix = matrix
            }
            direction = doubles["direction"]
            if let s = doubles["move"], let w = doubles["product"], let factors = doubles["factors"], factors.count == 4
            {
                change = .init(keep: factors[0], ww: factors[1], sw: factors[2], ss: factors[3], s: s, w: w)
            } else {
                change = nil
            }
            isScaled = newValue.counts["scaled"] == 1
        }
    }
}
