import Compute
import Fields

/// The method of Levenberg and Marquardt on samples of rows, with geodesic acceleration (Transtrum & Sethna 2012, arXiv:1201.5885):
///
///     (JᵀJ + λ) p = −Jᵀ r,   (JᵀJ + λ) a = −Jᵀ r''(p),   parameters += t p + t² a / 2
///
/// where r are the weighted residuals of a sample of an iteration's points and J their Jacobian. With fewer rows than parameters the
/// equations leave the step free, and the shortest one is taken: sample after sample is solved, as Kaczmarz's method does with the rows
/// of a linear system. Each sample serves for a few steps.
///
/// A step costs a matrix product of rows² × parameters, whatever the number of points. The error of an inferred viscosity falls
/// several times as fast as with self-scaled Broyden's method where observations have little noise (docs/accuracy.md); with noise,
/// that method gets farther from where this one has led.
public struct LevenbergMarquardt: SamplingOptimizer {
    public static let name = "lm"
    public static let requiresFixedBatch = false
    public static let rows = 1000
    private static let stepsPerSample = 4

    public var state: MarquardtState
    private let threads: Int

    public init(parameterCount: Int, options: OptimizerOptions) {
        state = MarquardtState()
        threads = options.threads
    }

    public mutating func step(_ parameters: inout [Float], on sample: any SampledResiduals) throws -> StepOutcome {
        var search = MarquardtSearch(parameters, sample, damping: state.damping, threads: threads)
        for _ in 0..<Self.stepsPerSample { try search.step() }
        state.damping = min(max(search.damping, MarquardtState.minDamping), 1)
        parameters = search.parameters
        return .moved
    }
}

/// Steps on one sample.
private struct MarquardtSearch {
    private(set) var parameters: [Float]
    /// λ in mean diagonal elements of J Jᵀ.
    private(set) var damping: Double
    private let sample: any SampledResiduals
    private let threads: Int

    init(_ parameters: [Float], _ sample: any SampledResiduals, damping: Double, threads: Int) {
        (self.parameters, self.sample, self.damping, self.threads) = (parameters, sample, damping, threads)
    }

    /// Takes the best of steps with three values of λ, of several lengths, straight and bent; none where none lowers the loss.
    mutating func step() throws {
        let start = try sample.residuals(parameters).map(Double.init)
        let loss = Vectors.dot(start, start)
        let curvature = try SampledCurvature(try sample.jacobian(parameters))
        let dampings = [0.125, 1, 8].map { $0 * damping }
        let factors = curvature.factors(dampings: dampings.map { $0 * curvature.meanDiagonal }, threads: threads)
        var best: (loss: Double, parameters: [Float], damping: Double)?
        for (damping, factor) in zip(dampings, factors) {
            guard let factor else { continue }
            let path = try path(start, curvature, factor)
            for length in [1, 0.5, 0.25, 0.0625] {
                var isBetter = false
                for isBent in [true, false] where !isBetter {
                    let end = path.end(from: parameters, length, isBent: isBent)
                    let residuals = try sample.residuals(end).map(Double.init)
                    let reached = Vectors.dot(residuals, residuals)
                    if reached < best?.loss ?? loss {
                        best = (reached, end, length < 0.1 ? 4 * damping : damping)
                        isBetter = true
                    }
                }
            }
        }
        guard let best else {
            damping *= 8
            return
        }
        (parameters, damping) = (best.parameters, best.damping)
    }

    /// The step and its acceleration, whose second derivative of the residuals is a difference over a fifth of the step.
    private func path(
        _ start: [Double], _ curvature: SampledCurvature, _ factor: CholeskyFactor
    ) throws -> Path {
        let velocity = try curvature.step(start.map { -$0 }, factor)
        let h = 0.2
        let ahead = Path(velocity: velocity, acceleration: []).end(from: parameters, h, isBent: false)
        let there = try sample.residuals(ahead)
        let linear = try curvature.product(velocity)
        let bend = linear.indices.map { k in
            let change = Double(there[k]) - start[k]
            return -2 / h * (change / h - linear[k])
        }
        return Path(velocity: velocity, acceleration: try curvature.step(bend, factor))
    }

    private struct Path {
        let velocity: [Double]
        let acceleration: [Double]

        func end(from parameters: [Float], _ length: Double, isBent: Bool) -> [Float] {
            guard isBent, !acceleration.isEmpty else {
                return zip(parameters, velocity).map { Float(Double($0) + length * $1) }
            }
            return parameters.indices.map {
                Float(Double(parameters[$0]) + length * (velocity[$0] + length * acceleration[$0] / 2))
            }
        }
    }
}

public struct MarquardtState: OptimizerState {
    static let minDamping = 1e-12
    /// λ of the next sample's first step, in mean diagonal elements of J Jᵀ.
    var damping = 1e-2

    public static func maxSize(parameterCount: Int, options: OptimizerOptions) -> StateSize {
        StateSize(bytes: 8, arrays: 1)
    }

    public var stored: StoredArrays { StoredArrays(doubles: ["damping": [damping]]) }

    public mutating func restore(_ stored: StoredArrays) throws {
        damping = try stored.doubles("damping", length: 1)[0]
    }
}
