/// A method that says where to go and learns from where it came to; how far is the matter of a search along the line. The
/// division into descent and search is that of optimistix (Rader, Lyons & Kidger 2024, arXiv:2402.09983).
protocol Descent {
    /// −H g: downhill, as far as is known of the curvature.
    mutating func direction(_ gradient: [Float]) -> [Double]

    /// Whether H has the scale of the problem, so that the direction is a step: the identity has none.
    var isScaled: Bool { get }

    /// Takes in a move that the search has accepted.
    mutating func learn(from move: Move)

    /// Forgets what was learnt: the next direction is downhill and without a scale.
    mutating func reset()
}

/// An accepted step of `length` times `direction`, as float32 made it.
struct Move {
    let start: [Float]
    let end: [Float]
    let startGradient: [Float]
    let endGradient: [Float]
    let direction: [Double]
    let length: Double
}

extension Descent {
    /// One iteration of `Optimizer.step` by a strong Wolfe search along the direction; where that finds nothing, once more
    /// straight downhill.
    mutating func searchedStep(
        _ parameters: inout [Float], loss: Double, gradient: [Float],
        evaluate: (_ parameters: [Float], _ gradient: inout [Float]) throws -> Double
    ) throws -> StepOutcome {
        while true {
            let direction = direction(gradient)
            let slope = Vectors.dot(gradient, direction)
            // Without a scale: a move of length one at most, of a tenth at first.
            let firstLength = isScaled ? 1 : min(1, 0.1 / (-slope).squareRoot())
            var moved: [Float] = []
            var newGradient: [Float] = []
            // Nil for a slope that is not downhill.
            let accepted = try WolfeSearch().find(
                from: .init(length: 0, value: loss, slope: slope), firstLength: firstLength
            ) { length in
                moved = zip(parameters, direction).map { Float(Double($0) + length * $1) }
                let value = try evaluate(moved, &newGradient)
                return .init(length: length, value: value, slope: Vectors.dot(newGradient, direction))
            }
            guard let accepted else {
                if !isScaled { return .noDescent }
                // Rounding has spoilt what was learnt.
                reset()
                continue
            }
            learn(
                from: Move(
                    start: parameters, end: moved, startGradient: gradient, endGradient: newGradient,
                    direction: direction, length: accepted.length))
            parameters = moved
            return .movedToLastEvaluation
        }
    }
}
