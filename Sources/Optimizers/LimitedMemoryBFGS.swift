/// L-BFGS (Liu & Nocedal 1989; Nocedal & Wright 2006, algorithm 7.5) with a strong Wolfe search. It compares losses of
/// different iterations, so they must be over the same points. All sums are in double; the parameters, their moves and
/// gradients are float32.
public struct LimitedMemoryBFGS: Optimizer {
    public static let name = "lbfgs"
    public static let requiresFixedBatch = true

    /// Moves and changes of the gradient that are remembered: as many as DIFFICE_jax takes.
    static let maxPairs = 50
    public static func stateBytes(parameterCount: Int, options: OptimizerOptions) -> Int {
        2 * maxPairs * 4 * parameterCount
    }

    /// The move s and the change of the gradient y of an iteration; the oldest first.
    private var pairs: [(s: [Float], y: [Float])] = []

    public init(parameterCount: Int, options: OptimizerOptions) {}

    public mutating func step(
        _ parameters: inout [Float], loss: Double, gradient: [Float],
        evaluate: (_ parameters: [Float], _ gradient: inout [Float]) throws -> Double
    ) throws -> StepOutcome {
        while true {
            var direction = descent(gradient)
            var slope = Vectors.dot(gradient, direction)
            if !(slope < 0) {
                // Rounding has spoilt the memory.
                pairs = []
                direction = gradient.map { -Double($0) }
                slope = -Vectors.dot(gradient, gradient)
            }
            guard slope < 0 else { return .noDescent }
            // Without a memory the direction has no scale: a move of length one at most, of a tenth at first.
            let firstLength = pairs.isEmpty ? min(1, 0.1 / (-slope).squareRoot()) : 1
            var moved: [Float] = []
            var newGradient: [Float] = []
            let accepted = try WolfeSearch().find(
                from: .init(length: 0, value: loss, slope: slope), firstLength: firstLength
            ) { length in
                moved = zip(parameters, direction).map { Float(Double($0) + length * $1) }
                let value = try evaluate(moved, &newGradient)
                return .init(length: length, value: value, slope: Vectors.dot(newGradient, direction))
            }
            guard accepted != nil else {
                if pairs.isEmpty { return .noDescent }
                // Once more, downhill.
                pairs = []
                continue
            }
            // The move that float32 made of it.
            let s = zip(moved, parameters).map { $0 - $1 }
            let y = zip(newGradient, gradient).map { $0 - $1 }
            if Vectors.dot(s, y) > 1e-10 * Vectors.dot(y, y) {
                pairs.append((s, y))
                if pairs.count > LimitedMemoryBFGS.maxPairs { pairs.removeFirst() }
            }
            parameters = moved
            return .movedToLastEvaluation
        }
    }

    /// −H g by the two loops over the remembered pairs.
    private func descent(_ gradient: [Float]) -> [Double] {
        var q = gradient.map { -Double($0) }
        var factors: [Double] = []
        for (s, y) in pairs.reversed() {
            let factor = Vectors.dot(s, q) / Vectors.dot(s, y)
            Vectors.add(-factor, y, to: &q)
            factors.append(factor)
        }
        if let (s, y) = pairs.last {
            let scale = Vectors.dot(s, y) / Vectors.dot(y, y)
            for k in q.indices { q[k] *= scale }
        }
        for ((s, y), factor) in zip(pairs, factors.reversed()) {
            Vectors.add(factor - Vectors.dot(y, q) / Vectors.dot(s, y), s, to: &q)
        }
        return q
    }

    public var state: OptimizerState {
        get {
            var vectors: [String: [Float]] = [:]
            for (number, pair) in pairs.enumerated() {
                vectors["s\(number)"] = pair.s
                vectors["y\(number)"] = pair.y
            }
            return OptimizerState(vectors: vectors, counts: ["pairs": pairs.count])
        }
        set {
            pairs = (0..<(newValue.counts["pairs"] ?? 0)).compactMap { number in
                guard let s = newValue.vectors["s\(number)"], let y = newValue.vectors["y\(number)"] else { return nil }
                return (s, y)
            }
        }
    }
}
