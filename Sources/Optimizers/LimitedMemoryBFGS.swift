/// L-BFGS (Liu & Nocedal 1989; Nocedal & Wright 2006, algorithm 7.5) with a strong Wolfe search. It compares losses of
/// different iterations, so they must be over the same points. All sums are in double; the parameters, their moves and
/// gradients are float32.
public struct LimitedMemoryBFGS: GradientOptimizer {
    public static let name = "lbfgs"
    public static let requiresFixedBatch = true

    public var state: LimitedMemoryState

    public init(parameterCount: Int, options: OptimizerOptions) {
        state = LimitedMemoryState(parameterCount: parameterCount)
    }

    public mutating func step(
        _ parameters: inout [Float], loss: Double, gradient: [Float],
        evaluate: (_ parameters: [Float], _ gradient: inout [Float]) throws -> Double
    ) throws -> StepOutcome {
        try searchedStep(&parameters, loss: loss, gradient: gradient, evaluate: evaluate)
    }
}

extension LimitedMemoryBFGS: Descent {
    var isScaled: Bool { !state.pairs.isEmpty }

    mutating func reset() { state.pairs = [] }

    /// −H g by the two loops over the remembered pairs.
    func direction(_ gradient: [Float]) -> [Double] {
        var q = gradient.map { -Double($0) }
        var factors: [Double] = []
        for pair in state.pairs.reversed() {
            let factor = Vectors.dot(pair.s, q) / Vectors.dot(pair.s, pair.y)
            Vectors.add(-factor, pair.y, to: &q)
            factors.append(factor)
        }
        if let pair = state.pairs.last {
            let scale = Vectors.dot(pair.s, pair.y) / Vectors.dot(pair.y, pair.y)
            for k in q.indices { q[k] *= scale }
        }
        for (pair, factor) in zip(state.pairs, factors.reversed()) {
            Vectors.add(factor - Vectors.dot(pair.y, q) / Vectors.dot(pair.s, pair.y), pair.s, to: &q)
        }
        return q
    }

    mutating func learn(from move: Move) {
        let s = zip(move.end, move.start).map { $0 - $1 }
        let y = zip(move.endGradient, move.startGradient).map { $0 - $1 }
        if Vectors.dot(s, y) > 1e-10 * Vectors.dot(y, y) { state.remember(.init(s: s, y: y)) }
    }
}

/// The moves and changes of the gradient that L-BFGS remembers, the oldest first.
public struct LimitedMemoryState: OptimizerState {
    /// The move s and the change of the gradient y of an iteration.
    struct Pair: Sendable, Equatable {
        let s: [Float]
        let y: [Float]
    }

    /// As many as DIFFICE_jax takes.
    static let maxPairs = 50

    fileprivate(set) var pairs: [Pair] = []
    private let parameterCount: Int

    init(parameterCount: Int) { self.parameterCount = parameterCount }

    fileprivate mutating func remember(_ pair: Pair) {
        pairs.append(pair)
        if pairs.count > LimitedMemoryState.maxPairs { pairs.removeFirst() }
    }

    public static func maxSize(parameterCount: Int, options: OptimizerOptions) -> StateSize {
        StateSize(bytes: 2 * maxPairs * 4 * parameterCount, arrays: 2 * maxPairs)
    }

    public var stored: StoredArrays {
        var vectors: [String: [Float]] = [:]
        for (number, pair) in pairs.enumerated() {
            vectors["s\(number)"] = pair.s
            vectors["y\(number)"] = pair.y
        }
        return StoredArrays(vectors: vectors, counts: ["pairs": pairs.count])
    }

    public mutating func restore(_ stored: StoredArrays) throws {
        let count = try stored.count("pairs")
        guard stored.vectors.count == 2 * count else {
            throw StateMismatch(name: "pairs", found: count, expected: stored.vectors.count / 2)
        }
        pairs = try (0..<count).map {
            Pair(
                s: try stored.vector("s\($0)", length: parameterCount),
                y: try stored.vector("y\($0)", length: parameterCount))
        }
    }
}
