import Glibc

/// Self-scaled Broyden's method (Al-Baali 1998; for physics-informed networks Urbán, Stefanou & Pons 2025,
/// doi:10.1016/j.jcp.2024.113656, and Kiyani et al. 2025, doi:10.1016/j.cma.2025.118308) with the whole inverse Hessian and a
/// strong Wolfe search:
///
///     H ← (H − H y yᵀ H / yᵀHy + φ yᵀHy v vᵀ) / τ + s sᵀ / yᵀs,   v = s / yᵀs − H y / yᵀHy
///
/// where s is the move, y the change of the gradient, and φ and τ follow from how well H predicted them. It needs n² / 2 floats
/// for n parameters (89 MB for two 4 x 32 networks, 0.55 GB for two of 6 x 40): for small networks, where the loss falls
/// several times as fast by iterations as with the limited memory of L-BFGS (docs/accuracy.md).
public struct SelfScaledBroyden: GradientOptimizer {
    public static let name = "ssbroyden"
    public static let requiresFixedBatch = true
    /// Of which the matrix takes 2 TB.
    public static let maxParameterCount = 1_000_000

    public var state: BroydenState
    private let threads: Int

    public init(parameterCount: Int, options: OptimizerOptions) {
        state = BroydenState(parameterCount: parameterCount)
        threads = options.threads
    }

    public mutating func step(
        _ parameters: inout [Float], loss: Double, gradient: [Float],
        evaluate: (_ parameters: [Float], _ gradient: inout [Float]) throws -> Double
    ) throws -> StepOutcome {
        try searchedStep(&parameters, loss: loss, gradient: gradient, evaluate: evaluate)
    }

    public mutating func batchDidChange() { state.direction = nil }
}

extension SelfScaledBroyden: Descent {
    var isScaled: Bool { state.isScaled }

    mutating func reset() { state.reset() }

    mutating func direction(_ gradient: [Float]) -> [Double] {
        state.direction ?? product(gradient).map { -$0 }
    }

    private mutating func product(_ x: [Float]) -> [Double] { state.matrix.product(x, threads: threads) }

    /// The change of H from a move, and the next direction.
    mutating func learn(from move: Move) {
        let s = zip(move.end, move.start).map { Double($0) - Double($1) }
        let g = move.startGradient.map(Double.init)
        let newGradient = move.endGradient.map(Double.init)
        // H g is known: one product gives H y and the next direction.
        let u = product(move.endGradient)
        let y = zip(newGradient, g).map { $0 - $1 }
        let w = zip(u, move.direction).map { $0 + $1 }
        state.direction = u.map { -$0 }
        guard
            let change = InverseHessian.Change(
                s: s, y: y, w: w, g: g, length: move.length, isFirst: !state.isScaled)
        else { return }
        // −H g after the change, without a pass of its own.
        let sg = Vectors.dot(s, newGradient)
        let wg = Vectors.dot(w, newGradient)
        let alongS = change.ss * sg + change.sw * wg
        let alongW = change.sw * sg + change.ww * wg
        state.direction = u.indices.map { -(change.keep * u[$0] + (alongS * s[$0] + alongW * w[$0])) }
        state.matrix.change(by: change)
        state.isScaled = true
    }
}

extension InverseHessian.Change {
    /// The update above with Al-Baali's bounds on θ, and his scale τ, as Urbán et al. write them; nil where a move shows no
    /// curvature.
    ///
    /// - Parameters: `w`: H y; `g`: the gradient before the move; `isFirst`: whether H is still the identity.
    fileprivate init?(s: [Double], y: [Double], w: [Double], g: [Double], length: Double, isFirst: Bool) {
        let ys = Vectors.dot(y, s)
        let yHy = Vectors.dot(y, w)
        let noise = 1e-10 * (Vectors.dot(y, y) * Vectors.dot(s, s)).squareRoot()
        guard ys > noise, yHy > 0 else { return nil }

        let b = -length * Vectors.dot(s, g) / ys
        let h = yHy / ys
        let a = b * h - 1
        guard b > 0, b.isFinite, h.isFinite else { return nil }
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
        let tau = isFirst ? h / sigma : theta <= 0 ? min(shrink * root, sigma) : shrink * min(root, 1 / theta)
        let phi = (1 - theta) / sigma
        guard tau > 0, tau.isFinite, phi.isFinite else { return nil }
        let rho = 1 / ys
        self.init(
            keep: 1 / tau, ww: (phi - 1) / (yHy * tau), sw: -phi * rho / tau, ss: rho + phi * yHy * rho * rho / tau,
            s: s, w: w)
    }
}

/// The inverse Hessian of self-scaled Broyden's method, and what the last step leaves for the next.
public struct BroydenState: OptimizerState {
    var matrix: InverseHessian
    /// −H g of the last gradient; nil where it must be computed.
    var direction: [Double]?
    /// Whether the matrix has the scale of the problem: the identity has none.
    var isScaled = false

    init(parameterCount: Int) { matrix = InverseHessian(order: parameterCount) }

    mutating func reset() {
        matrix = InverseHessian(order: matrix.order)
        (direction, isScaled) = (nil, false)
    }

    /// The matrix, the direction, and two vectors and four factors of each change that waits.
    public static func maxSize(parameterCount: Int, options: OptimizerOptions) -> StateSize {
        let changes = InverseHessian.maxChanges * (2 * parameterCount + 4)
        return StateSize(
            bytes: 4 * InverseHessian.elementCount(parameterCount) + 8 * (parameterCount + changes), arrays: 5)
    }

    public var stored: StoredArrays {
        var stored = StoredArrays(counts: ["scaled": isScaled ? 1 : 0])
        if !matrix.elements.isEmpty { stored.vectors["inverse_hessian"] = matrix.elements }
        stored.doubles["direction"] = direction
        if !matrix.changes.isEmpty {
            stored.doubles["move"] = matrix.changes.flatMap(\.s)
            stored.doubles["product"] = matrix.changes.flatMap(\.w)
            stored.doubles["factors"] = matrix.changes.flatMap { [$0.keep, $0.ww, $0.sw, $0.ss] }
        }
        return stored
    }

    public mutating func restore(_ stored: StoredArrays) throws {
        let order = matrix.order
        let name = "inverse_hessian"
        let elements =
            try stored.vectors[name].map { _ in
                try stored.vector(name, length: InverseHessian.elementCount(order))
            } ?? []
        let packed = try stored.doubles[name].map { _ in try stored.doubles(name, length: order * (order + 1) / 2) }
        let direction = try stored.doubles["direction"].map { _ in try stored.doubles("direction", length: order) }
        let count = min((stored.doubles["factors"]?.count ?? 0) / 4, InverseHessian.maxChanges)
        let factors = count > 0 ? try stored.doubles("factors", length: 4 * count) : []
        let moves = count > 0 ? try stored.doubles("move", length: count * order) : []
        let products = count > 0 ? try stored.doubles("product", length: count * order) : []
        let changes = (0..<count).map { k in
            InverseHessian.Change(
                keep: factors[4 * k], ww: factors[4 * k + 1], sw: factors[4 * k + 2], ss: factors[4 * k + 3],
                s: Array(moves[k * order..<(k + 1) * order]), w: Array(products[k * order..<(k + 1) * order]))
        }
        isScaled = try stored.count("scaled") == 1
        self.direction = direction
        matrix =
            packed.map { InverseHessian(order: order, packed: $0) }
            ?? InverseHessian(order: order, elements: elements)
        for change in changes { matrix.change(by: change) }
    }
}
